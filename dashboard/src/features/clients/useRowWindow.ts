// Which rows of the list are near the window, and how much room the others take.
import { defaultRangeExtractor, useWindowVirtualizer, type Range } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useState, type RefObject } from "react";
import type { ClientRow } from "../../api/types.ts";

/** The heights of ClientTable.module.css, in rem: a row is never measured. */
const ROW_REM = 4;
const CARD_REM = 7.5;
/** Rows beyond either edge of the window: enough for a page of keyboard steps. */
const BEYOND = 12;

interface Options {
  rows: ClientRow[];
  frame: RefObject<HTMLElement | null>;
  isCards: boolean;
  /** A row that stays in the page wherever the window is: it has the keyboard's focus. */
  kept: number | null;
}

export interface ShownRow {
  row: ClientRow;
  index: number;
  /** The room between it and the row shown before it, in pixels. */
  gap: number;
}

export interface RowWindow {
  items: ShownRow[];
  /** The room behind the last row shown, in pixels. */
  rest: number;
  firstInSight: number;
  scrollTo: (index: number) => void;
}

export function useRowWindow({ rows, frame, isCards, kept }: Options): RowWindow {
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = frame.current?.getBoundingClientRect().top ?? 0;
      setMargin(Math.round(top + window.scrollY));
    };
    measure();
    // Whatever stands above the list may grow: a banner, chips that wrap.
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => {
      observer.disconnect();
    };
  }, [frame]);
  const height = (isCards ? CARD_REM : ROW_REM) * remOf();
  const rangeExtractor = useCallback(
    (range: Range) => {
      const indexes = defaultRangeExtractor(range);
      if (kept === null || kept >= range.count || indexes.includes(kept)) return indexes;
      return [...indexes, kept].sort((a, b) => a - b);
    },
    [kept],
  );
  const list = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: BEYOND,
    scrollMargin: margin,
    rangeExtractor,
    // Without it each scroll would be drawn at once, against React's order.
    useFlushSync: false,
  });
  // A change of the height is only seen when the sizes are taken anew.
  useLayoutEffect(() => {
    list.measure();
  }, [list, height]);

  const scrollTo = useCallback(
    (index: number) => {
      list.scrollToIndex(index, { align: "center" });
    },
    [list],
  );

  let end = margin;
  const items: ShownRow[] = [];
  for (const { index, start, end: itemEnd } of list.getVirtualItems()) {
    const row = rows[index];
    if (row === undefined) continue;
    items.push({ row, index, gap: start - end });
    end = itemEnd;
  }
  const scrolled = (list.scrollOffset ?? 0) - margin;
  return {
    items,
    rest: margin + list.getTotalSize() - end,
    firstInSight: Math.min(Math.max(0, Math.ceil(scrolled / height)), Math.max(0, rows.length - 1)),
    scrollTo,
  };
}

function remOf(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
