// Light, dark, or as the system has it; public/theme.js puts the choice in force before the first paint.
import { keep, readKept } from "./kept.ts";
import { createStore, useStore } from "./store.ts";

export type Theme = "system" | "light" | "dark";

const NAME = "theme";

function read(): Theme {
  const kept = typeof window === "undefined" ? null : readKept(NAME);
  return kept === "light" || kept === "dark" ? kept : "system";
}

const theme = createStore<Theme>(read());

export function useTheme(): Theme {
  return useStore(theme);
}

export function chooseTheme(next: Theme): void {
  theme.set(next);
  keep(NAME, next === "system" ? null : next);
  if (next === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
}
