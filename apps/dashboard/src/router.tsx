import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  type MouseEvent,
  type ReactNode,
} from 'react';

/** Where the page is: the address in the browser, without the key that a link may carry. */
export interface Location {
  readonly path: string;
  readonly query: URLSearchParams;
}

interface Router extends Location {
  readonly go: (to: string, how?: 'push' | 'replace') => void;
}

const RouterContext = createContext<Router | undefined>(undefined);

function here(): Location {
  return { path: window.location.pathname, query: new URLSearchParams(window.location.search) };
}

/** Follows the browser's address; links change it without loading the page again. */
export function RouterProvider({ children }: { readonly children: ReactNode }) {
  const [location, setLocation] = useState(here);
  useEffect(() => {
    const follow = () => setLocation(here());
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);
  const go = useCallback((to: string, how: 'push' | 'replace' = 'push') => {
    if (how === 'push') window.history.pushState(null, '', to);
    else window.history.replaceState(null, '', to);
    const before = document.title;
    setLocation(here());
    // A new page begins at its top; a changed filter stays where it is.
    if (how === 'push' && document.title === before) window.scrollTo(0, 0);
  }, []);
  const router = useMemo(() => ({ ...location, go }), [location, go]);
  return <RouterContext value={router}>{children}</RouterContext>;
}

export function useRouter(): Router {
  const router = useContext(RouterContext);
  if (router === undefined) throw new Error('used outside of a router');
  return router;
}

/** Reads and changes parameters of the address, so that a filtered list can be sent to somebody. */
export function useQuery(): [URLSearchParams, (changes: Readonly<Record<string, string>>) => void] {
  const { path, query, go } = useRouter();
  const set = useCallback(
    (changes: Readonly<Record<string, string>>) => {
      const next = new URLSearchParams(query);
      for (const [name, value] of Object.entries(changes)) {
        if (value === '') next.delete(name);
        else next.set(name, value);
      }
      const text = next.toString();
      go(text === '' ? path : `${path}?${text}`, 'replace');
    },
    [path, query, go],
  );
  return [query, set];
}

interface LinkProps {
  readonly to: string;
  readonly className?: string;
  readonly current?: boolean;
  readonly title?: string;
  readonly children: ReactNode;
}

/** A link within the dashboard; with a modifier key it opens as any other. */
export function Link({ to, className, current, title, children }: LinkProps) {
  const { go } = useRouter();
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a
      href={to}
      className={className}
      title={title}
      onClick={follow}
      aria-current={current === true ? 'page' : undefined}
    >
      {children}
    </a>
  );
}
