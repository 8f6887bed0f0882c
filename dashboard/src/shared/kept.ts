// Small choices of the reader that this browser remembers; never data of the shop.

/** Read a choice; null where none was kept, or where the browser keeps nothing. */
export function readKept(name: string): string | null {
  try {
    return window.localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Keep a choice; where the browser refuses, it holds until the page is left. */
export function keep(name: string, value: string | null): void {
  try {
    if (value === null) window.localStorage.removeItem(name);
    else window.localStorage.setItem(name, value);
  } catch {
    // Private windows of some browsers refuse; the choice is in force all the same.
  }
}
