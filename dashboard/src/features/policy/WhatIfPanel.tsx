// What the policy in the fields would change, kept in view while it is worked on.
import type { UseQueryResult } from "@tanstack/react-query";
import { count, day, plural } from "../../shared/format.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { Loading, Problem } from "../../shared/ui/Notice.tsx";
import type { PolicyPreview } from "./document.ts";
import { comparison, rate } from "./effect.ts";
import styles from "./WhatIf.module.css";

interface Props {
  query: UseQueryResult<PolicyPreview>;
  /** Whether the fields hold a policy at all. */
  isFine: boolean;
  /** Whether what is shown still belongs to other values than those in the fields. */
  isBehind: boolean;
  cost: string;
  onCost: (cost: string) => void;
}

export function WhatIfPanel({ query, isFine, isBehind, cost, onCost }: Props) {
  const { data, error } = query;
  const status = !isFine
    ? "Correct what is marked to see what would change."
    : error !== null
      ? ""
      : isBehind
        ? "Reckoning…"
        : "As of now";
  return (
    <Card title="What if?" aside={<span role="status">{status}</span>}>
      {error === null ? null : (
        <Problem error={error} onRetry={() => void query.refetch()} small />
      )}
      {data === undefined ? (
        error === null && isFine ? (
          <Loading what="what would change" rows={2} />
        ) : null
      ) : (
        <Shown preview={data} isBehind={isBehind || !isFine || error !== null} />
      )}
      <label className={styles["cost"]}>
        Cost of one email
        <input
          className={styles["costInput"]}
          inputMode="decimal"
          autoComplete="off"
          placeholder="not set"
          value={cost}
          onChange={(event) => {
            onCost(event.target.value);
          }}
        />
      </label>
    </Card>
  );
}

function Shown({ preview, isBehind }: { preview: PolicyPreview; isBehind: boolean }) {
  const { entering, leaving, staying, held_for_a_person: held, emails_at_once } = preview;
  return (
    <div className={styles["shown"]} data-behind={isBehind} data-testid="preview" aria-busy={isBehind}>
      <dl className={styles["moves"]}>
        <Move name="enter" value={entering} sign="+" />
        <Move name="leave" value={leaving} sign="−" />
        <Move name="stay at risk" value={staying} sign="" />
      </dl>
      <table className={styles["table"]}>
        <caption className="visuallyHidden">The policy in force and the one in the fields</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">Now</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {comparison(preview).map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              <td>{row.present}</td>
              <td data-differs={row.present !== row.candidate}>{row.candidate}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={styles["note"]}>
        {entering === 0
          ? "Nobody is written to at once."
          : `Of those who enter, about ${rate(emails_at_once)} get an email at once${held === 0 ? "" : ` and ${count(held)} wait for a person`}.`}{" "}
        {preview.sampled
          ? `Estimated from ${count(preview.seen)} of ${plural(preview.clients, "client")}`
          : `From all ${plural(preview.clients, "client")}`}
        , as of {day(preview.as_of)}.
      </p>
    </div>
  );
}

function Move({ name, value, sign }: { name: string; value: number; sign: string }) {
  return (
    <div className={styles["move"]}>
      <dt>{name}</dt>
      <dd data-testid={`preview-${name.split(" ")[0] ?? name}`} data-value={value}>
        {value === 0 ? "" : sign}
        {count(value)}
      </dd>
    </div>
  );
}

/** The same in one line, for narrow screens, where the panel is below the fields. */
export function WhatIfLine({ preview }: { preview: PolicyPreview | undefined }) {
  if (preview === undefined) return null;
  return (
    <p className={styles["lineBelow"]} aria-hidden="true">
      <span>+{count(preview.entering)} enter</span>
      <span>−{count(preview.leaving)} leave</span>
      <span>{rate(preview.candidate.emails_per_day)} emails a day</span>
    </p>
  );
}
