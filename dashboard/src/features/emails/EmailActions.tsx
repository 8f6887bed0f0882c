// The buttons by which a person decides about an email, and how the decision stands.
import type { EmailRow } from "../../api/types.ts";
import { seconds } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { useNow } from "../../shared/useNow.ts";
import { choicesOf, standingOf, useDecide, useSent } from "./decisions.ts";
import { EditDraft } from "./EditDraft.tsx";
import styles from "./EmailActions.module.css";
import { useEmail } from "./queries.ts";

const SLOW_MS = 10_000;

interface Props {
  row: EmailRow;
  /** In a list the history is only read once something was decided. */
  inList?: boolean;
}

export function EmailActions({ row, inList = false }: Props) {
  const sent = useSent(row.episode_id);
  const detail = useEmail(row.episode_id, !inList || sent !== null).data;
  const decide = useDecide(row);
  const standing = standingOf(row, detail, sent);
  const waiting = standing.kind === "waiting";
  const now = useNow(waiting ? 1_000 : null);
  const choices = choicesOf(row.state);
  if (choices.length === 0 && standing.kind === "none") return null;
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
            weight={action === "reject" ? "danger" : index === 0 && !inList ? "primary" : "quiet"}
            disabled={waiting || decide.isPending}
            onClick={() => {
              decide.mutate(choice);
            }}
          >
            {isDoing ? doing : name}
          </Button>
        );
      })}
      {row.state === "draft" && row.email !== null && !inList ? (
        <EditDraft email={row.email} decide={decide} disabled={waiting} />
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
