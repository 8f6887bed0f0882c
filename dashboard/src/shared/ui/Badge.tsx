// Small labels: the state of a client or an email, made-up data, the sandbox model.
import type { ClientState, EmailState } from "../../api/types.ts";
import { CLIENT_STATES, EMAIL_STATES, type StateWords } from "../states.ts";
import styles from "./Badge.module.css";

function Badge({ words, state, testId }: { words: StateWords; state: string; testId: string }) {
  return (
    <span
      className={`${styles["badge"] ?? ""} ${styles[words.tone] ?? ""}`}
      title={words.meaning}
      data-testid={testId}
      data-state={state}
    >
      {words.name}
    </span>
  );
}

const UNSCORED: StateWords = { name: "Not scored yet", tone: "mute", meaning: "No score so far." };

export function ClientStateBadge({ state }: { state: ClientState | null }) {
  const words = state === null ? UNSCORED : CLIENT_STATES[state];
  return <Badge words={words} state={state ?? "unscored"} testId="state" />;
}

export function EmailStateBadge({ state }: { state: EmailState }) {
  return <Badge words={EMAIL_STATES[state]} state={state} testId="email-state" />;
}

/** Marks made-up data; a list may say "demo" in each row and explain it once. */
export function DemoLabel({ short = false }: { short?: boolean }) {
  return (
    <span
      className={styles["label"]}
      title="Made-up demo data: name, tags and address are not a real person's."
      data-testid="demo-data"
    >
      {short ? "demo" : "made-up demo data"}
    </span>
  );
}

export function SandboxLabel() {
  return (
    <span
      className={`${styles["label"] ?? ""} ${styles["sandbox"] ?? ""}`}
      title="Texts come from a local stand-in, not from a real language model."
      data-testid="sandbox"
    >
      Sandbox model
    </span>
  );
}
