// The few figures that the whole system exists for.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { EffectInShort, Money, Overview } from "../../api/types.ts";
import { count, money, plural } from "../../shared/format.ts";
import { effectWords } from "./effect.ts";
import styles from "./Tiles.module.css";

function Tile({ name, value, children, testId, tone = "plain" }: {
  name: string;
  value: ReactNode;
  children: ReactNode;
  testId: string;
  tone?: "plain" | "warn" | "good" | "quiet";
}) {
  return (
    <div className={styles["tile"]} data-testid={testId}>
      <dt className={styles["name"]}>{name}</dt>
      <dd className={styles["value"]} data-tone={tone}>
        {value}
      </dd>
      <dd className={styles["about"]}>{children}</dd>
    </div>
  );
}

export function Tiles({ overview, mayReadEmails }: { overview: Overview; mayReadEmails: boolean }) {
  const atRisk = overview.clients_by_state?.["at_risk"] ?? 0;
  const emails = overview.emails_by_state ?? {};
  const waiting = (emails["draft"] ?? 0) + (emails["held"] ?? 0);
  return (
    <dl className={styles["tiles"]}>
      <Tile
        name="Value at risk"
        value={amountOf(overview.at_risk_value)}
        testId="tile-at-risk"
        tone="warn"
      >
        of{" "}
        <Link to="/clients" search={{ state: "at_risk" }}>
          {plural(atRisk, "client")} at risk
        </Link>
        : what they spent, counted less the longer ago.
      </Tile>
      <Tile name="Recovered" value={amountOf(overview.recovered_value)} testId="tile-recovered">
        ordered by {plural(overview.recovered_clients ?? 0, "client")} after an email to them. How
        much of it the emails brought about is the uplift.
      </Tile>
      <EffectTile effect={overview.effect} />
      <Tile name="Waiting for you" value={count(waiting)} testId="tile-waiting">
        {mayReadEmails ? (
          <>
            <Link to="/emails" search={{ state: "draft" }}>
              {plural(emails["draft"] ?? 0, "draft")} to approve
            </Link>{" "}
            and{" "}
            <Link to="/emails" search={{ state: "held" }}>
              {plural(emails["held"] ?? 0, "held episode")}
            </Link>
            .
          </>
        ) : (
          "drafts to approve and held episodes."
        )}
      </Tile>
    </dl>
  );
}

/** In short, for the tile's width; in full to those who point at it. */
function amountOf(value: Money | null): ReactNode {
  if (value === null) return "–";
  return (
    <data value={value.amount} title={money(value.amount, value.currency)}>
      {money(value.amount, value.currency, { compact: true })}
    </data>
  );
}

function EffectTile({ effect }: { effect: EffectInShort | null }) {
  if (effect === null) {
    return (
      <Tile name="Uplift" value="–" testId="tile-effect" tone="quiet">
        is measured against clients held out.
      </Tile>
    );
  }
  const words = effectWords(effect);
  return (
    <Tile
      name="Uplift"
      value={words.value}
      testId="tile-effect"
      tone={words.isClear ? "good" : "quiet"}
    >
      {words.about}
    </Tile>
  );
}
