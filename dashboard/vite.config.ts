// How the dashboard is built, served while developing, and tested.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env["API_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // The page is served under `default-src 'self'`, which refuses data: addresses.
    assetsInlineLimit: 0,
    // Source maps would double what the API serves; build them on demand with --sourcemap.
    sourcemap: false,
    // For scripts/size.js.
    manifest: true,
    reportCompressedSize: true,
  },
  server: { proxy: { "/api": { target: api } } },
  preview: { proxy: { "/api": { target: api } } },
  test: {
    testTimeout: 30_000,
    restoreMocks: true,
    sequence: { shuffle: true },
    projects: [
      // Pure logic needs no page, and starts faster without one.
      {
        extends: true,
        test: { name: "logic", environment: "node", include: ["src/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "page",
          environment: "jsdom",
          include: ["src/**/*.test.tsx"],
          setupFiles: ["src/test/setup.ts"],
        },
      },
    ],
  },
});
