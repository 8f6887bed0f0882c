// One email in full: its text (rendered inert), why it stands so, where it came from, what to do.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { EmailDetail, EmailText } from "../../api/types.ts";
import { day, money, percent, plural } from "../../shared/format.ts";
import { EmailStateBadge, SandboxLabel } from "../../shared/ui/Badge.tsx";
import { Button } from "../../shared/ui/Button.tsx";
import { Masked } from "../../shared/ui/Masked.tsx";
import { Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { useToday } from "../../shared/useStats.ts";
import { Changes } from "./Changes.tsx";
import { Decisions } from "./Decisions.tsx";
import { draftBefore, type Wording } from "./difference.ts";
import { EmailActions } from "./EmailActions.tsx";
import { nameOf } from "./EmailCard.tsx";
import styles from "./EmailView.module.css";
import { Calls, History } from "./History.tsx";
import { LineageSection } from "./lineage/LineageSection.tsx";
import { useEmail } from "./queries.ts";
import { reasonOf } from "./reasons.ts";

interface Props {
  episodeId: string;
  /** Whether the address asks for the email's lineage. */
  traced?: boolean;
  /** Whether the reader came here by key or decision, and not by a link that keeps the focus. */
  takesFocus?: boolean;
  /** Called once a decision is stored that ends this email's turn in the queue. */
  onDecided?: (row: EmailDetail) => void;
}

export function EmailView({ episodeId, ...rest }: Props) {
  const query = useEmail(episodeId);
  if (query.isPending) return <Loading what="the email" rows={3} />;
  if (query.data === undefined) {
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <>
      <Stale query={query} />
      <Shown row={query.data} {...rest} />
    </>
  );
}

function Shown({
  row,
  traced = false,
  takesFocus = false,
  onDecided,
}: Omit<Props, "episodeId"> & { row: EmailDetail }) {
  const today = useToday();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // The button that was pressed went away with the email before this one.
    if (takesFocus && document.activeElement === document.body) {
      title.current?.focus({ preventScroll: true });
    }
  }, [takesFocus]);
  const reason = reasonOf(row);
  const worth = row.value_at_risk;
  return (
    <article className={styles["view"]} data-testid="email-detail" data-state={row.state}>
      <header className={styles["head"]}>
        <div>
          <h2 className={styles["title"]} ref={title} tabIndex={-1}>
            {row.first_name === null ? (
              nameOf(row)
            ) : (
              <Link to="/clients/$clientId" params={{ clientId: row.client_id }}>
                <Masked value={row.first_name} />
              </Link>
            )}
            <span className={styles["number"]}> #{row.client_id}</span>
          </h2>
          <p className={styles["state"]}>
            <EmailStateBadge state={row.state} />
          </p>
        </div>
        <EmailActions
          row={row}
          onDecided={() => {
            onDecided?.(row);
          }}
        />
      </header>
      <div className={styles["reason"]} data-testid="why">
        <p>{reason.why}</p>
        <p className={styles["todo"]}>{reason.todo}</p>
      </div>
      {row.email === null ? null : (
        <Letter email={row.email} draft={draftBefore(row.email, row.decisions)} />
      )}
      <dl className={styles["facts"]}>
        <Fact name="Worth at risk" value={money(worth.amount, worth.currency)} />
        <Fact name="Score at the time" value={percent(row.score)} />
        <Fact name="Last order" value={day(row.last_order_day, today)} />
        <Fact name="Fell at risk" value={day(row.crossing_day, today)} />
        <Fact name="Attempts" value={String(row.attempts)} />
      </dl>
      {row.decisions.length === 0 ? null : (
        <section className={styles["section"]} aria-label="Decisions">
          <h3>What people decided</h3>
          <Decisions decisions={row.decisions} />
        </section>
      )}
      <LineageSection row={row} isAsked={traced} />
      <section className={styles["section"]} aria-label="History">
        <h3>What happened</h3>
        <History changes={row.history} />
      </section>
      {row.calls.length === 0 ? null : (
        <section className={styles["section"]} aria-label="Model calls">
          <h3>{plural(row.calls.length, "call")} to the model</h3>
          <Calls calls={row.calls} />
        </section>
      )}
    </article>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The text is put into the page as text only, so nothing in it can act. */
function Letter({ email, draft }: { email: EmailText; draft: Wording | null }) {
  const [compares, setCompares] = useState(false);
  return (
    <>
      {compares && draft !== null ? (
        <Changes before={draft} after={email} />
      ) : (
        <div className={styles["letter"]}>
          <h3 className={styles["subject"]} data-testid="subject">
            <Masked value={email.subject} />
          </h3>
          <p className={styles["body"]} data-testid="body">
            <Masked value={email.body} />
          </p>
        </div>
      )}
      <p className={styles["made"]}>
        <span data-testid="model">
          {email.model} by {email.provider}
        </span>
        <Time at={email.created_at} />
        {email.sandbox ? <SandboxLabel /> : null}
        {draft === null ? null : (
          <Button
            small
            aria-pressed={compares}
            onClick={() => {
              setCompares(!compares);
            }}
          >
            Compare with the model’s draft
          </Button>
        )}
      </p>
    </>
  );
}
