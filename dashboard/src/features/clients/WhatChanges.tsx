// What would change the score: an order now, or more silence.
import type { ScoreView } from "../../live/scores.ts";
import { day, percent } from "../../shared/format.ts";
import { CLIENT_STATES } from "../../shared/states.ts";
import styles from "./ScoreCard.module.css";
import { pointAt } from "./timeline/history.ts";
import { useCurve } from "./timeline/queries.ts";
import { addDays } from "./timeline/windows.ts";

const LATER_DAYS = [30, 90] as const;

export function WhatChanges({ score }: { score: ScoreView & { score: number } }) {
  const { as_of, explanation } = score;
  const ahead = useCurve(score.client_id, { from: as_of, to: addDays(as_of, 90) });
  const order = explanation?.score_after_order;
  return (
    <div className={styles["changes"]}>
      <h3 className={styles["subtitle"]}>What would change it</h3>
      <ul role="list" className={styles["cases"]}>
        {order == null ? null : (
          <li data-testid="after-order">
            One order today: {percent(score.score)} → <b>{percent(order)}</b>
            {explanation?.lift == null
              ? null
              : `, and out of risk until ${day(explanation.lift.safe_until)}`}
          </li>
        )}
        {LATER_DAYS.map((days) => {
          const later = ahead.data && pointAt(ahead.data, Date.parse(addDays(as_of, days)));
          if (later?.score == null) return null;
          return (
            <li key={days} data-testid={`after-${days}-days`}>
              {days} days without an order: <span>{percent(later.score)}</span>,{" "}
              {CLIENT_STATES[later.state].name.toLowerCase()}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
