import { useState } from 'react';
import { isStale, newWriteKey, send, type ApiFailure } from '../../api/client';
import type { BulkEdit } from '../../api/types';
import { useSession } from '../../session/session';

export interface BulkOrder {
  /** Which torrents. */
  readonly select: object;
  /** What becomes of their terms. */
  readonly change: object;
}

type Doing = 'rehearse' | 'apply' | 'turn';

interface Rehearsed {
  /** What was rehearsed. */
  readonly text: string;
  readonly answer: BulkEdit;
  /** Of all torrents that fit and the change itself: sent back, it changes exactly that. */
  readonly etag: string | undefined;
  /** Of the edit that follows: repeated after a lost answer, it is not made twice. */
  readonly key: string;
  readonly cursors: readonly string[];
}

export interface BulkEditing {
  readonly busy: Doing | undefined;
  readonly failure: ApiFailure | undefined;
  /** What the order as it stands would come to; undefined until it is asked, and once it is another. */
  readonly rehearsed: Rehearsed | undefined;
  /** How many torrents were changed, once that is done. */
  readonly done: number | undefined;
  readonly rehearse: () => void;
  readonly apply: () => void;
  readonly turn: (cursors: readonly string[]) => void;
}

const SHOWN = 50;
/** An edit of 20,000 torrents takes its time. */
const WAIT_MS = 130_000;
const PATH = '/v1/offers/bulk';

/** Rehearses an edit of many torrents, turns the pages of what it would come to, and makes exactly what was rehearsed. */
export function useBulkEdit(order: BulkOrder): BulkEditing {
  const { onEnded } = useSession();
  const text = JSON.stringify(order);
  const [busy, setBusy] = useState<Doing>();
  const [failure, setFailure] = useState<{ readonly text: string; readonly failure: ApiFailure }>();
  const [rehearsed, setRehearsed] = useState<Rehearsed>();
  const [done, setDone] = useState<{ readonly text: string; readonly changed: number }>();

  const ask = async (doing: Doing, more: object, options: object) => {
    setBusy(doing);
    const result = await send<BulkEdit>('POST', PATH, { ...order, ...more }, { waitMs: WAIT_MS, ...options });
    setBusy(undefined);
    if (!result.ok && result.failure.kind === 'unauthenticated') onEnded();
    setFailure(result.ok ? undefined : { text, failure: result.failure });
    // Whatever it came to, it comes to something else now.
    if (!result.ok && isStale(result.failure)) setRehearsed(undefined);
    return result.ok ? result : undefined;
  };
  const rehearse = async (): Promise<void> => {
    setDone(undefined);
    const result = await ask('rehearse', { dryRun: true, limit: SHOWN }, {});
    const { value: answer, etag } = result ?? {};
    setRehearsed(answer && { text, answer, etag, key: newWriteKey(), cursors: [] });
  };
  const turn = async (cursors: readonly string[]): Promise<void> => {
    if (rehearsed === undefined) return;
    const { etag } = rehearsed;
    const cursor = cursors.at(-1);
    const result = await ask(
      'turn',
      { dryRun: true, limit: SHOWN, ...(cursor === undefined ? {} : { cursor }) },
      { etag },
    );
    if (result !== undefined) setRehearsed({ ...rehearsed, answer: result.value, cursors });
  };
  const apply = async (): Promise<void> => {
    if (rehearsed === undefined) return;
    const { etag, key } = rehearsed;
    const result = await ask('apply', { dryRun: false, limit: 0 }, { etag, key });
    if (result === undefined) return;
    setRehearsed(undefined);
    setDone({ text, changed: result.value.changed });
  };
  return {
    busy,
    failure: failure?.text === text ? failure.failure : undefined,
    rehearsed: rehearsed?.text === text ? rehearsed : undefined,
    done: done?.text === text ? done.changed : undefined,
    rehearse: () => void rehearse(),
    apply: () => void apply(),
    turn: (cursors) => void turn(cursors),
  };
}
