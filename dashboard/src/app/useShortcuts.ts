// Acts on the few keyboard shortcuts, unless someone types, a dialog is open, or they are off.
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { mayBeShortcut, useShortcutsOn } from "../shared/shortcutKeys.ts";
import { actOf, SEQUENCE_MS } from "./shortcuts.ts";

export function useShortcuts(onHelp: () => void): void {
  const navigate = useNavigate();
  const [on] = useShortcutsOn();
  useEffect(() => {
    if (!on) return;
    let before: { key: string; at: number } | null = null;
    const press = (event: KeyboardEvent): void => {
      if (!mayBeShortcut(event)) return;
      const recent = before !== null && event.timeStamp - before.at < SEQUENCE_MS;
      const act = actOf(event.key, recent ? (before?.key ?? null) : null);
      before = { key: event.key, at: event.timeStamp };
      if (act === null) return;
      if (act.kind === "go") {
        void navigate({ to: act.to });
      } else if (act.kind === "help") {
        onHelp();
      } else {
        const field = document.querySelector<HTMLInputElement>("main input[type=search]");
        if (field === null) return;
        field.focus();
        field.select();
      }
      event.preventDefault();
    };
    // Before the pages' own keys, so that the "e" of "g e" is not theirs as well.
    window.addEventListener("keydown", press, { capture: true });
    return () => {
      window.removeEventListener("keydown", press, { capture: true });
    };
  }, [navigate, on, onHelp]);
}
