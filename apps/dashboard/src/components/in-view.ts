import { useEffect, useRef, type RefObject } from 'react';

/** On a narrow screen a row of links scrolls sideways: brings the one of this page into view when it changes. */
export function useInView(path: string): RefObject<HTMLElement | null> {
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    const current = row.current?.querySelector<HTMLElement>('[aria-current]');
    if (row.current === null || current === null || current === undefined) return;
    const { left, width } = current.getBoundingClientRect();
    row.current.scrollLeft += left - row.current.getBoundingClientRect().left - (row.current.clientWidth - width) / 2;
  }, [path]);
  return row;
}
