// The buttons by which a person decides about an email, and how the decision stands.
import type { EmailRow } from "../../api/types.ts";
import { useMay } from "../../auth/may.tsx";
import { seconds } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { MASK } from "../../shared/ui/Masked.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { useNow } from "../../shared/useNow.ts";
import { choicesOf, standingOf } from "./choices.ts";
import { useDecide, useSent } from "./decisions.ts";
import { draftBefore } from "./difference.ts";
import { DraftActions } from "./DraftActions.tsx";
import styles from "./EmailActions.module.css";
import { useEmail } from "./queries.ts";

const SLOW_MS = 10_000;
const nothing = (): void => undefined;

interface Props {
  row: EmailRow;
  /** In a list the history is only read once something was decided. */
  inList?: boolean;
  /** Called once a decision is stored that ends this email's turn in the queue. */
  onDecided?: () => void;
}

export function EmailActions({ row, inList = false, onDecided = nothing }: Props) {
  const mayDecide = useMay("emails:approve");
  const sent = useSent(row.episode_id);
  const detail = useEmail(row.episode_id, !inList || sent !== null).data;
  const decide = useDecide(row);
  const standing = standingOf(row, detail, sent);
  const waiting = standing.kind === "waiting";
  const now = useNow(waiting ? 1_000 : null);
  const { email } = row;
  // In a list a draft is only approved by those who have opened or chosen it.
  const isDraft = row.state === "draft" && email !== null && !inList;
  const choices = row.state === "draft" ? [] : choicesOf(row);
  if (!mayDecide || (isDraft && email.body === MASK)) {
    return inList || !(isDraft || choices.length > 0) ? null : <NotAllowed mayDecide={mayDecide} />;
  }
  if (choices.length === 0 && !isDraft && standing.kind === "none") return null;
  return (
    <div className={styles["actions"]} aria-busy={waiting || decide.isPending}>
      {choices.map((choice, index) => {
        const { action, name, doing } = choice;
        const isDoing =
          (waiting && standing.action === action) ||
          (decide.isPending && decide.variables.action === action);
        return (
          <Button
            key={name}
            small
            weight={index === 0 && !inList ? "primary" : "quiet"}
            disabled={waiting || decide.isPending}
            onClick={() => {
              decide.mutate(choice, { onSuccess: onDecided });
            }}
          >
            {isDoing ? doing : name}
          </Button>
        );
      })}
      {isDraft ? (
        <DraftActions
          row={{ ...row, email }}
          draft={detail === undefined ? null : draftBefore(email, detail.decisions)}
          decide={decide}
          waiting={waiting ? standing.action : null}
          onDecided={onDecided}
        />
      ) : null}
      {inList && waiting && row.state === "draft" ? (
        <p className={styles["note"]}>Decided; waits for the mailer.</p>
      ) : null}
      {decide.error === null ? null : <Problem error={decide.error} small />}
      {standing.kind === "refused" ? (
        <p className={`${styles["note"] ?? ""} ${styles["refused"] ?? ""}`} role="status">
          Refused: {standing.reason}
        </p>
      ) : null}
      {waiting && now - standing.since > SLOW_MS ? (
        <p className={`${styles["note"] ?? ""} ${styles["slow"] ?? ""}`} role="status">
          Stored, but not applied after {seconds(now - standing.since)}: the mailer may be behind
          or stopped. It will be applied when the mailer runs.
        </p>
      ) : null}
    </div>
  );
}

function NotAllowed({ mayDecide }: { mayDecide: boolean }) {
  return (
    <p className={styles["note"]} data-testid="may-not-decide">
      {mayDecide
        ? "Nobody decides about a text that they may not read: it needs the permission pii:read."
        : "To decide about emails you need the permission emails:approve."}
    </p>
  );
}
