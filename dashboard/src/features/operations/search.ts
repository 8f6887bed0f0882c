// Pure: what the address says about the page of operations, made safe to use; defaults stay out.
import { textOf } from "../../shared/search.ts";

export const TABS = ["pipeline", "runs", "letters", "audit"] as const;
export type Tab = (typeof TABS)[number];

export interface OperationsSearch {
  /** The part of the page; the pipeline without. */
  tab?: Tab;
  /** The topic whose dead letters are shown, and the one that is open. */
  topic?: string;
  letter?: number;
  /** The resource whose audit is shown, such as "client/42". */
  resource?: string;
}

const TEXT_MAX = 200;

function isTab(value: string): value is Tab {
  return (TABS as readonly string[]).includes(value);
}

export function readOperationsSearch(search: Record<string, unknown>): OperationsSearch {
  const tab = textOf(search["tab"]);
  const topic = textOf(search["topic"]).slice(0, TEXT_MAX);
  const letter = Number(textOf(search["letter"]) || NaN);
  const resource = textOf(search["resource"]).slice(0, TEXT_MAX);
  return {
    ...(isTab(tab) && tab !== "pipeline" ? { tab } : {}),
    ...(topic === "" ? {} : { topic }),
    ...(topic !== "" && Number.isSafeInteger(letter) && letter >= 0 ? { letter } : {}),
    ...(resource === "" ? {} : { resource }),
  };
}
