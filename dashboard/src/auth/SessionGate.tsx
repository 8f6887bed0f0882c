// Shows the pages to those who are signed in, and says what to do to everyone else.
import { useEffect, type ReactNode } from "react";
import { useStore } from "../shared/store.ts";
import { Button } from "../shared/ui/Button.tsx";
import { Loading, Problem } from "../shared/ui/Notice.tsx";
import { MeContext } from "./may.tsx";
import type { Session, SessionState } from "./session.ts";
import styles from "./SessionGate.module.css";

type Out = Extract<SessionState, { is: "out" | "refused" }>;

const TITLES = {
  new: "Sign in to see your clients",
  left: "You are signed out",
  ended: "Your session has ended",
} as const;

const WORDS = {
  new: "Engage shows who is falling silent, why, and what was written to them.",
  left: "Nothing of what you saw is kept in this tab.",
  ended: "Sign in again, and you come back to this page.",
} as const;

export function SessionGate({ session, children }: { session: Session; children: ReactNode }) {
  const state = useStore(session.state);
  useEffect(() => {
    void session.start();
  }, [session]);
  if (state.is === "in") return <MeContext value={state.me}>{children}</MeContext>;
  return (
    <main className={styles["door"]}>
      <title>Sign in · Engage</title>
      <p className={styles["brand"]}>
        <img src="/icon.svg" alt="" />
        Engage
      </p>
      {state.is === "starting" ? (
        <Loading what="who is signed in" rows={2} />
      ) : state.is === "unreachable" ? (
        <Problem error={state.error} onRetry={() => void session.start()} />
      ) : (
        <SignedOut state={state} onSignIn={() => void session.signIn()} />
      )}
    </main>
  );
}

function SignedOut({ state, onSignIn }: { state: Out; onSignIn: () => void }) {
  const isRefused = state.is === "refused";
  return (
    <div className={styles["card"]} data-testid="signed-out">
      <h1 className={styles["title"]}>
        {isRefused ? "The sign-in did not work" : TITLES[state.why]}
      </h1>
      <p className={styles["words"]}>
        {isRefused
          ? `The sign-in service said: ${state.detail}. Try again; if it stays so, ask whoever ` +
            "manages your shop’s accounts."
          : WORDS[state.why]}
      </p>
      <Button weight="primary" onClick={onSignIn}>
        {isRefused || state.why === "ended" ? "Sign in again" : "Sign in"}
      </Button>
    </div>
  );
}
