// One email in a list: whose it is, how it stands and why, and what can be decided at once.
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { EmailRow } from "../../api/types.ts";
import { money } from "../../shared/format.ts";
import { EmailStateBadge } from "../../shared/ui/Badge.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { EmailActions } from "./EmailActions.tsx";
import styles from "./EmailCard.module.css";
import { reasonOf } from "./reasons.ts";
import type { EmailSearch } from "./search.ts";

export function nameOf(row: Pick<EmailRow, "first_name" | "client_id">): string {
  return row.first_name ?? `Client ${row.client_id}, erased`;
}

interface Props {
  row: EmailRow;
  /** What the email is called here; the client's name where none is given. */
  title?: string;
  current?: boolean;
  /** What the address of the email keeps of the list's filter. */
  search?: EmailSearch;
  /** Whether the text is shown too; as text only, so nothing in it can act. */
  body?: boolean;
  /** Whether it is chosen for a decision about many; null where none can be made. */
  chosen?: boolean | null;
  onChoose?: (episodeId: string, chosen: boolean) => void;
}

/** One object for all, so that a card is only drawn again when its row changes. */
const NO_SEARCH = {};

export const EmailCard = memo(function EmailCard({
  row,
  title,
  current = false,
  search = NO_SEARCH,
  body = false,
  chosen = null,
  onChoose,
}: Props) {
  const worth = row.value_at_risk;
  return (
    <li
      className={styles["card"]}
      data-testid={`email-${row.episode_id}`}
      data-state={row.state}
      data-current={current}
    >
      <div className={styles["top"]}>
        {chosen === null ? null : (
          <input
            type="checkbox"
            className={styles["choose"]}
            aria-label={`Choose the email to ${nameOf(row)}`}
            checked={chosen}
            onChange={(event) => {
              onChoose?.(row.episode_id, event.target.checked);
            }}
          />
        )}
        <Link
          to="/emails/$episodeId"
          params={{ episodeId: row.episode_id }}
          search={search}
          className={styles["link"]}
          aria-current={current ? "true" : undefined}
        >
          {title ?? nameOf(row)}
        </Link>
        <EmailStateBadge state={row.state} />
      </div>
      {row.email === null ? null : (
        <p className={styles["subject"]} data-testid="subject">
          {row.email.subject}
        </p>
      )}
      {body && row.email !== null ? (
        <p className={styles["body"]} data-testid="body">
          {row.email.body}
        </p>
      ) : null}
      <p className={styles["reason"]} data-testid="reason">
        {reasonOf(row).why}
      </p>
      <p className={styles["meta"]}>
        <span>worth {money(worth.amount, worth.currency)}</span>
        <Time at={row.updated_at} />
      </p>
      <div className={styles["actions"]}>
        <EmailActions row={row} inList />
      </div>
    </li>
  );
});
