// Pure: the way of each order from its row over its change to its event.
import { money } from "../../../shared/format.ts";
import type { Fact, Lineage, OrderPath, Place, Step, TracedOrder } from "./shapes.ts";

/** Postgres writes a place in its log as two hexadecimal halves. */
export function lsnText(lsn: number): string {
  const whole = BigInt(lsn);
  return `${(whole >> 32n).toString(16).toUpperCase()}/${(whole & 0xffffffffn).toString(16).toUpperCase()}`;
}

function placeFacts(place: Place | null): Fact[] {
  if (place === null) return [];
  return [
    { name: "Topic", value: place.topic, kind: "id" },
    { name: "Partition", value: String(place.partition) },
    { name: "Offset", value: String(place.offset), kind: "id" },
  ];
}

const FATES: Record<TracedOrder["image"], string> = {
  kept: "The event still stands on its topic, with this very version.",
  superseded: "A newer version of this order has taken its place on the topic.",
  removed: "The order was removed since; the topic keeps the removal alone.",
  missing: "No version as new as this one was found on the topics.",
};

/** The steps of each counted order, in the order of their days. */
export function orderPaths(lineage: Lineage): OrderPath[] {
  return lineage.evidence.flatMap((day) =>
    day.orders.map((order) => ({ orderId: order.order_id, steps: stepsOfOrder(order, day.day) })),
  );
}

function stepsOfOrder(order: TracedOrder, day: string): Step[] {
  const { order_id: id, version, amount, currency, status, ordered_at, lsn, raw, event } = order;
  const isKept = order.image === "kept";
  const newer = order.newest_version;
  return [
    {
      id: `row-${id}`,
      title: `Order ${id}`,
      about: amount === null || currency === null ? FATES[order.image] : money(amount, currency),
      facts: [
        { name: "Order", value: String(id), kind: "id" },
        { name: "Counts on", value: day, kind: "day" },
        ...(ordered_at === null
          ? []
          : [{ name: "Ordered", value: ordered_at, kind: "time" } satisfies Fact]),
        ...(status === null ? [] : [{ name: "Status", value: status }]),
        { name: "Row version", value: String(version), kind: "id" },
        ...(newer === null || newer === version
          ? []
          : [{ name: "Newest version", value: String(newer), kind: "id" } satisfies Fact]),
      ],
      verified: null,
      tone: "done",
    },
    {
      id: `change-${id}`,
      title: "Change",
      about: raw === null ? FATES[order.image] : "Debezium read it from the log of Postgres.",
      facts: [
        ...(lsn === null ? [] : [{ name: "LSN", value: lsnText(lsn), kind: "id" } satisfies Fact]),
        ...placeFacts(raw),
      ],
      verified: null,
      tone: raw === null ? "ended" : "done",
    },
    {
      id: `event-${id}`,
      title: "Event",
      about: FATES[order.image],
      facts: placeFacts(event),
      verified: isKept ? "Read again from its topic just now, with this version" : null,
      tone: isKept ? "done" : "ended",
    },
  ];
}
