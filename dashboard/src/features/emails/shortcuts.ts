// The keys of the queue of emails.
import { useEffect } from "react";
import { mayBeShortcut, useShortcutsOn } from "../../shared/shortcutKeys.ts";

export type Shortcuts = Readonly<Record<string, () => void>>;

/** Run what a key stands for, as long as the calling component is shown. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const [on] = useShortcutsOn();
  useEffect(() => {
    if (!on) return;
    function press(event: KeyboardEvent): void {
      // A key that is held down must not decide about one email after another.
      if (event.repeat || !mayBeShortcut(event)) return;
      const run = Object.hasOwn(shortcuts, event.key) ? shortcuts[event.key] : undefined;
      if (run === undefined) return;
      event.preventDefault();
      run();
    }
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("keydown", press);
    };
  }, [on, shortcuts]);
}
