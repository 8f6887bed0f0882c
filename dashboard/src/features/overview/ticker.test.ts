// Live events as short lines.
import { expect, it } from "vitest";
import type { LiveEvent } from "../../live/events.ts";
import { scoreEvent } from "../../test/examples.ts";
import { LINES_MAX, withEvents } from "./ticker.ts";

function score(id: number): LiveEvent {
  return { kind: "score", data: scoreEvent({ client_id: id }) };
}

it("tells each event in words, the newest first, with a way to what it is about", () => {
  const email: LiveEvent = {
    kind: "email",
    data: { episode_id: "42-20600", client_id: 42, state: "draft" },
  };
  const lines = withEvents(withEvents([], [score(42)], 1), [email], 2);
  expect(lines.map((line) => line.text.replace("\u202f", " "))).toEqual([
    "Email to client 42: draft",
    "Client 42 scored: active, 46 %",
  ]);
  expect(lines.map((line) => line.to)).toEqual([
    { kind: "email", id: "42-20600" },
    { kind: "client", id: 42 },
  ]);
  expect(new Set(lines.map((line) => line.key)).size).toBe(2);
});

it("counts the scores of a burst instead of listing them, and leaves nothing else out", () => {
  const served: LiveEvent = { kind: "served", data: { as_of: "2026-11-23" } };
  const burst = [served, ...Array.from({ length: 500 }, (_, id) => score(id))];
  const lines = withEvents([], burst, 1);
  expect(lines).toHaveLength(6);
  expect(lines.at(-1)?.text).toBe("496 more clients scored");
  expect(lines[0]?.text).toContain("Client 499");
  expect(lines.some((line) => line.text.includes("23 Nov"))).toBe(true);
});

it("keeps a bounded number of lines, each with a key of its own", () => {
  let lines = withEvents([], [], 0);
  for (let at = 0; at < 50; at += 1) lines = withEvents(lines, [score(1), score(2)], at);
  expect(lines).toHaveLength(LINES_MAX);
  expect(new Set(lines.map((line) => line.key)).size).toBe(LINES_MAX);
});
