// Who is signed in, how the page looks, which keys it knows, and the way out.
// The browser's own popover opens, closes and places it above the page: no code to load for that.
import { useId, useRef } from "react";
import { useMe } from "../auth/may.tsx";
import { chooseTheme, useTheme, type Theme } from "../shared/theme.ts";
import styles from "./AccountMenu.module.css";
import { useSession } from "./session.ts";

const THEMES: readonly [Theme, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const me = useMe();
  const theme = useTheme();
  const session = useSession();
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        type="button"
        className={styles["trigger"]}
        popoverTarget={id}
        data-testid="account"
        ref={trigger}
      >
        <span className={styles["initial"]} aria-hidden="true">
          {me.name.charAt(0).toUpperCase()}
        </span>
        <span className={styles["name"]}>{me.name}</span>
      </button>
      <div id={id} popover="auto" role="group" aria-label="Account" className={styles["panel"]}>
        <fieldset className={styles["themes"]}>
          <legend className={styles["label"]}>Theme</legend>
          {THEMES.map(([value, name]) => (
            <label key={value} className={styles["item"]}>
              <input
                type="radio"
                name="theme"
                value={value}
                checked={theme === value}
                onChange={() => {
                  chooseTheme(value);
                }}
              />
              {name}
            </label>
          ))}
        </fieldset>
        <button
          type="button"
          className={styles["item"]}
          popoverTarget={id}
          popoverTargetAction="hide"
          onClick={() => {
            // This button goes away with the menu: from the list one comes back to what is there.
            trigger.current?.focus();
            onHelp();
          }}
        >
          Keyboard shortcuts
        </button>
        <button
          type="button"
          className={styles["item"]}
          onClick={() => {
            void session.signOut();
          }}
        >
          Sign out
        </button>
      </div>
    </>
  );
}
