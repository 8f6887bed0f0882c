// Keeps the page's address at what is tried, so that it can be shared.
import { useCallback, useEffect, useRef } from "react";
import type { PolicyRow } from "./document.ts";
import { numberOf, type Draft } from "./draft.ts";
import { tryOf, type PolicySearch } from "./search.ts";

/** Write what a draft and a cost are into the address, and keep the rest of it. */
export function useAddress(
  draft: Draft,
  base: PolicyRow,
  cost: string,
  search: PolicySearch,
  onSearch: (search: PolicySearch) => void,
): void {
  const tried = tryOf(draft, base.document);
  const amount = numberOf(cost);
  const costText = amount === null || amount < 0 ? undefined : String(amount);
  const latest = useRef({ search, onSearch });
  useEffect(() => {
    latest.current = { search, onSearch };
  });
  const write = useCallback((change: { try: string | undefined; cost: string | undefined }) => {
    const { search: now, onSearch: tell } = latest.current;
    if (now.try === change.try && now.cost === change.cost) return;
    tell({
      ...(now.from === undefined ? {} : { from: now.from }),
      ...(now.to === undefined ? {} : { to: now.to }),
      ...(now.run === undefined ? {} : { run: now.run }),
      ...(change.try === undefined ? {} : { try: change.try }),
      ...(change.cost === undefined ? {} : { cost: change.cost }),
    });
  }, []);
  useEffect(() => {
    write({ try: tried, cost: costText });
  }, [tried, costText, write]);
}
