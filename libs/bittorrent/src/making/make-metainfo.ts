import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import bencode from 'bencode';
import { failure, success, type Result } from '../result.js';
import { fileError, type MakingError } from './errors.js';
import type { Survey } from './survey.js';

export interface FileToHash {
  /** Absolute path without links. */
  readonly place: string;
  readonly lengthBytes: number;
  readonly mark: string;
}

/** What the thread is given. */
export interface MakingJob {
  readonly files: readonly FileToHash[];
  readonly pieceLengthBytes: number;
}

type Told =
  | { readonly hashedBytes: number }
  | { readonly problem: string; readonly place: string }
  | { readonly pieces: Uint8Array };

export interface MakeOptions {
  /** The torrent's name; default that of the file or folder. Must be a safe path component. */
  readonly name?: string;
  readonly pieceLengthBytes: number;
  /** Off DHT and peer exchange (BEP 27). */
  readonly isPrivate?: boolean;
  /** Several times a second while hashing. */
  readonly onProgress?: (hashedBytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * The bytes of a .torrent file (version 1, BEP 3) for surveyed content, hashed on a thread of its own. Content that was
 * changed since the survey, or is while it is read, gives `content-changed`.
 */
export async function makeMetainfo(survey: Survey, options: MakeOptions): Promise<Result<Uint8Array, MakingError>> {
  const { pieceLengthBytes, isPrivate = false, name = survey.name } = options;
  const files = survey.files.map(({ path, lengthBytes, mark }) => ({
    place: join(survey.root, ...path),
    lengthBytes,
    mark,
  }));
  const pieces = await hashPieces({ files, pieceLengthBytes }, options);
  if (!pieces.ok) return pieces;
  const content = survey.folder
    ? { files: survey.files.map(({ path, lengthBytes }) => ({ length: lengthBytes, path: [...path] })) }
    : { length: survey.totalBytes };
  const info = {
    ...content,
    name,
    'piece length': pieceLengthBytes,
    pieces: pieces.value,
    ...(isPrivate ? { private: 1 } : {}),
  };
  return success(bencode.encode({ info }));
}

function hashPieces(
  job: MakingJob,
  { onProgress, signal }: Pick<MakeOptions, 'onProgress' | 'signal'>,
): Promise<Result<Uint8Array, MakingError>> {
  if (signal?.aborted === true) return Promise.resolve(failure({ code: 'aborted', detail: '' }));
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./making-worker.js', import.meta.url), { workerData: job });
    const end = (result: Result<Uint8Array, MakingError>): void => {
      signal?.removeEventListener('abort', abort);
      void worker.terminate();
      resolve(result);
    };
    const abort = (): void => end(failure({ code: 'aborted', detail: '' }));
    signal?.addEventListener('abort', abort, { once: true });
    worker.on('message', (told: Told) => {
      if ('hashedBytes' in told) onProgress?.(told.hashedBytes);
      else if ('pieces' in told) end(success(told.pieces));
      else end(failure(problemOf(told)));
    });
    worker.on('error', (thrown) => end(failure({ code: 'making-failed', detail: String(thrown) })));
    worker.on('exit', () => end(failure({ code: 'making-failed', detail: 'the thread ended' })));
  });
}

function problemOf({ problem, place }: { problem: string; place: string }): MakingError {
  if (problem === 'changed') return { code: 'content-changed', detail: place };
  return fileError({ code: problem }, place);
}
