// Places a real order and measures how long its score takes to come back over the live stream.
import { useCallback, useEffect, useRef, useState } from "react";
import { createOnce } from "../../api/once.ts";
import type { OrderRow, ScoreEvent } from "../../api/types.ts";
import { useEvents } from "../../live/useLive.ts";
import type { LiveEvent } from "../../live/events.ts";
import { hasMerged } from "./words.ts";

/** Beyond this it is said that something is wrong; it is still waited for. */
const LATE_MS = 30_000;

export interface Timed {
  order: OrderRow;
  score: ScoreEvent;
  /** From the API's answer to the score's arrival here; 0 when it came before the answer. */
  tookMs: number;
}

export type OrderState =
  | { is: "idle" }
  | { is: "placing" }
  | { is: "waiting"; order: OrderRow; late: boolean }
  | { is: "done"; timed: Timed }
  | { is: "failed"; error: unknown };

export function useTimedOrder(clientId: number | null) {
  const [state, setState] = useState<OrderState>({ is: "idle" });
  // Scores may come before the answer to the order does: all since the click are kept.
  const heard = useRef<{ at: number; event: ScoreEvent }[]>([]);
  const placed = useRef<{ at: number; order: OrderRow } | null>(null);

  const settle = useCallback(() => {
    const mine = placed.current;
    if (mine === null) return;
    const found = heard.current.find(({ event }) =>
      hasMerged(event, mine.order.id, mine.order.version),
    );
    if (found === undefined) return;
    placed.current = null;
    setState({
      is: "done",
      timed: { order: mine.order, score: found.event, tookMs: Math.max(0, found.at - mine.at) },
    });
  }, []);

  useEvents(
    useCallback(
      (event: LiveEvent) => {
        if (event.kind !== "score" || event.data.client_id !== clientId) return;
        heard.current.push({ at: performance.now(), event: event.data });
        settle();
      },
      [clientId, settle],
    ),
  );

  const waiting = state.is === "waiting" && !state.late;
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => {
      setState((now) => (now.is === "waiting" ? { ...now, late: true } : now));
    }, LATE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [waiting]);

  async function place(input: { amount: string; category: string }): Promise<void> {
    if (clientId === null) return;
    heard.current = [];
    setState({ is: "placing" });
    try {
      const order = await createOnce<OrderRow>("/api/orders", { client_id: clientId, ...input });
      placed.current = { at: performance.now(), order };
      setState({ is: "waiting", order, late: false });
      settle();
    } catch (error) {
      setState({ is: "failed", error });
    }
  }

  return { state, place };
}
