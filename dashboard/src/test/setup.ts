// Runs before each test file: what the browser has and jsdom lacks, and a clean page after each test.
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

const nothing = (): undefined => undefined;

class NoObserver {
  observe = nothing;
  unobserve = nothing;
  disconnect = nothing;
}

Element.prototype.scrollIntoView = nothing;
Object.assign(globalThis, { IntersectionObserver: NoObserver, ResizeObserver: NoObserver });

// Limits for a machine that is busy with other tests; nothing waits for them when all is well.
configure({ asyncUtilTimeout: 8_000 });

afterEach(() => {
  cleanup();
});
