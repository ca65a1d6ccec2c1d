import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';

/** Something happened: a family of events (`channel`, `offer`, `node`, …), or `pulse`, or `reset` for anything at all. */
export type News = string;
type Listener = (news: News) => void;

export type Connection = 'connecting' | 'live' | 'broken';

interface Live {
  readonly connection: Connection;
  readonly listen: (listener: Listener) => () => void;
}

const LiveContext = createContext<Live | undefined>(undefined);

/** A stream that broke off and does not come back is opened anew after this. */
const REOPEN_MS = 3_000;

/**
 * One stream of events for the whole page, while it is seen: a hidden tab needs none, and a browser opens few connections
 * to one server. When the page is seen again everything is asked anew.
 */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const [connection, setConnection] = useState<Connection>('connecting');
  const listeners = useRef(new Set<Listener>());

  useEffect(() => {
    let source: EventSource | undefined;
    let timer: number | undefined;
    const tell = (news: News) => listeners.current.forEach((listener) => listener(news));
    const close = () => {
      window.clearTimeout(timer);
      source?.close();
      source = undefined;
    };
    const open = () => {
      close();
      source = new EventSource('/v1/events');
      source.addEventListener('open', () => setConnection('live'));
      source.addEventListener('message', ({ data }: MessageEvent<string>) => {
        const { kind } = JSON.parse(data) as { kind: string };
        tell(kind.split('.', 1)[0] ?? kind);
      });
      source.addEventListener('pulse', () => tell('pulse'));
      source.addEventListener('reset', () => tell('reset'));
      source.addEventListener('error', () => {
        setConnection('broken');
        // The browser comes back by itself unless the answer was a refusal.
        if (source?.readyState === EventSource.CLOSED) timer = window.setTimeout(open, REOPEN_MS);
      });
    };
    const follow = () => {
      if (document.visibilityState !== 'visible') return close();
      open();
      tell('reset');
    };
    if (document.visibilityState === 'visible') open();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      close();
    };
  }, []);

  const live = useMemo<Live>(
    () => ({
      connection,
      listen: (listener) => {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
    }),
    [connection],
  );
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLiveConnection(): Live {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error('used outside of the live page');
  return live;
}
