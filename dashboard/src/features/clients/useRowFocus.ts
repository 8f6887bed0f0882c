// Moves the keyboard's focus from row to row of a list that has only some of its rows in the page.
import {
  useCallback,
  useEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject,
} from "react";

const PAGE_ROWS = 10;

export interface RowFocus {
  /** The rows' parent: a row names its place in `data-index`, and its link takes the focus. */
  body: RefObject<HTMLTableSectionElement | null>;
  active: number | null;
  setActive: (index: number) => void;
  /** Act on a key pressed on a row; `scrollTo` brings a row that is far away into the page. */
  move: (event: KeyboardEvent, index: number, scrollTo: (index: number) => void) => void;
}

/** Where a key leads from a row, or null when it is no key of a list. */
export function targetOf(key: string, index: number, count: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    PageDown: index + PAGE_ROWS,
    PageUp: index - PAGE_ROWS,
    Home: 0,
    End: count - 1,
  };
  const wanted = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return wanted === undefined ? null : Math.min(Math.max(0, wanted), count - 1);
}

export function useRowFocus(count: number): RowFocus {
  const body = useRef<HTMLTableSectionElement>(null);
  const wanted = useRef<number | null>(null);
  const [active, setActive] = useState<number | null>(null);

  /** Give the focus to the row that is wanted; false while it is not in the page. */
  const take = useCallback((): boolean => {
    if (wanted.current === null) return true;
    const link = body.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] a`);
    if (link == null) return false;
    wanted.current = null;
    link.focus();
    return true;
  }, []);

  // A row that was far away is in the page only after the list has been drawn again.
  useEffect(() => {
    take();
  });

  const move = useCallback(
    (event: KeyboardEvent, index: number, scrollTo: (index: number) => void) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const target = targetOf(event.key, index, count);
      if (target === null) return;
      event.preventDefault();
      if (target === index) return;
      wanted.current = target;
      if (take()) return;
      setActive(target);
      scrollTo(target);
    },
    [count, take],
  );
  return { body, active, setActive, move };
}
