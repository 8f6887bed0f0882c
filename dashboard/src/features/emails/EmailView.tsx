// One email in full: its text (rendered inert), how it came about, and what can be decided.
import { Link } from "@tanstack/react-router";
import type { EmailDetail, EmailText } from "../../api/types.ts";
import { day, percent, plural, worth } from "../../shared/format.ts";
import { EMAIL_STATES } from "../../shared/states.ts";
import { EmailStateBadge, SandboxLabel } from "../../shared/ui/Badge.tsx";
import { Loading, Problem } from "../../shared/ui/Notice.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { useToday } from "../../shared/useStats.ts";
import { Decisions } from "./Decisions.tsx";
import { EmailActions } from "./EmailActions.tsx";
import { nameOf } from "./EmailCard.tsx";
import styles from "./EmailView.module.css";
import { Calls, History } from "./History.tsx";
import { useEmail } from "./queries.ts";

export function EmailView({ episodeId }: { episodeId: string }) {
  const query = useEmail(episodeId);
  if (query.isPending) return <Loading what="the email" rows={3} />;
  if (query.data === undefined) {
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  }
  return <Shown row={query.data} />;
}

function Shown({ row }: { row: EmailDetail }) {
  const today = useToday();
  return (
    <article className={styles["view"]} data-testid="email-detail" data-state={row.state}>
      <header className={styles["head"]}>
        <div>
          <h2 className={styles["title"]}>
            {row.first_name === null ? (
              nameOf(row)
            ) : (
              <Link to="/clients/$clientId" params={{ clientId: row.client_id }}>
                {row.first_name}
              </Link>
            )}
          </h2>
          <p className={styles["state"]}>
            <EmailStateBadge state={row.state} />
            <span>{EMAIL_STATES[row.state].meaning}</span>
          </p>
        </div>
        <EmailActions row={row} />
      </header>
      <dl className={styles["facts"]}>
        <Fact name="Worth at risk" value={worth(row.value_at_risk)} />
        <Fact name="Score at the time" value={percent(row.score)} />
        <Fact name="Last order" value={day(row.last_order_day, today)} />
        <Fact name="Fell at risk" value={day(row.crossing_day, today)} />
        <Fact name="Attempts" value={String(row.attempts)} />
      </dl>
      {row.email === null ? <p>No text yet: {row.reason}.</p> : <Letter email={row.email} />}
      <section className={styles["section"]} aria-label="History">
        <h3>What happened</h3>
        <History changes={row.history} />
      </section>
      {row.decisions.length === 0 ? null : (
        <section className={styles["section"]} aria-label="Decisions">
          <h3>What people decided</h3>
          <Decisions decisions={row.decisions} />
        </section>
      )}
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
function Letter({ email }: { email: EmailText }) {
  return (
    <>
      <div className={styles["letter"]}>
        <h3 className={styles["subject"]} data-testid="subject">
          {email.subject}
        </h3>
        <p className={styles["body"]} data-testid="body">
          {email.body}
        </p>
      </div>
      <p className={styles["made"]}>
        <span data-testid="model">
          {email.model} by {email.provider}
        </span>
        <Time at={email.created_at} />
        {email.sandbox ? <SandboxLabel /> : null}
      </p>
    </>
  );
}
