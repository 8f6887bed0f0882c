// When a pressed key is a shortcut: not while someone types, in a dialog, or once they are off.
import { keep, readKept } from "./kept.ts";
import { createStore, useStore } from "./store.ts";

const NAME = "shortcuts";
const areOn = createStore(typeof window === "undefined" || readKept(NAME) !== "off");

/** Whether shortcuts act; those who speak to their machine may need them off (WCAG 2.1.4). */
export function useShortcutsOn(): [boolean, (on: boolean) => void] {
  const on = useStore(areOn);
  return [
    on,
    (next) => {
      areOn.set(next);
      keep(NAME, next ? null : "off");
    },
  ];
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select");
}

/** Whether a pressed key may be taken for a shortcut. */
export function mayBeShortcut(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  return !isTyping(event.target) && document.querySelector("[role$=dialog]") === null;
}
