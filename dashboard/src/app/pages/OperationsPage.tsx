// The page of the pipeline, runs, dead letters and the audit.
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { May, useMay } from "../../auth/may.tsx";
import { Audit } from "../../features/operations/Audit.tsx";
import { LetterTopics } from "../../features/operations/LetterTopics.tsx";
import ops from "../../features/operations/Operations.module.css";
import { Runs } from "../../features/operations/Runs.tsx";
import type { Tab } from "../../features/operations/search.ts";
import { StartBackfill } from "../../features/operations/StartBackfill.tsx";
import { StartReplay } from "../../features/operations/StartReplay.tsx";
import { StatusCard } from "../../features/operations/StatusCard.tsx";
import { TopicLetters } from "../../features/operations/TopicLetters.tsx";
import styles from "./pages.module.css";

const route = getRouteApi("/operations");

const TABS: readonly (readonly [Tab, string])[] = [
  ["pipeline", "Pipeline"],
  ["runs", "Runs"],
  ["letters", "Dead letters"],
  ["audit", "Audit"],
];

export function OperationsPage() {
  const { tab = "pipeline", topic, letter, resource } = route.useSearch();
  const navigate = useNavigate({ from: "/operations" });
  const showRuns = (): void => {
    void navigate({ search: { tab: "runs" } });
  };
  return (
    <>
      <h1 className={styles["titleAlone"]}>Operations</h1>
      <nav className={ops["tabs"]} aria-label="Parts of operations">
        {TABS.map(([name, title]) => (
          <Link
            key={name}
            to="/operations"
            search={name === "pipeline" ? {} : { tab: name }}
            className={ops["tab"]}
            activeProps={{}}
            activeOptions={{ exact: true }}
            data-status={name === tab ? "active" : undefined}
            aria-current={name === tab ? "page" : undefined}
          >
            {title}
          </Link>
        ))}
      </nav>
      <div className={styles["rows"]}>
        {tab === "pipeline" ? <StatusCard /> : null}
        {tab === "runs" ? (
          <>
            <Allowed />
            <May scope="ops:replay">
              <div className={styles["halves"]}>
                <StartBackfill onStarted={showRuns} />
                <StartReplay onStarted={showRuns} />
              </div>
            </May>
            <Runs />
          </>
        ) : null}
        {tab === "letters" ? (
          <>
            <Allowed />
            <LetterTopics onStarted={showRuns} />
            {topic === undefined ? null : (
              <TopicLetters
                key={topic}
                topic={topic}
                open={letter ?? null}
                onStarted={showRuns}
              />
            )}
          </>
        ) : null}
        {tab === "audit" ? (
          <Audit
            resource={resource ?? null}
            onResource={(next) => {
              void navigate({ search: { tab: "audit", ...(next === null ? {} : { resource: next }) } });
            }}
          />
        ) : null}
      </div>
    </>
  );
}

/** Why there are no buttons, for those who may only look. */
function Allowed() {
  return useMay("ops:replay") ? null : (
    <p className={styles["note"]}>
      You may look. To start backfills and replays or to send letters again you need the permission
      ops:replay; ask whoever manages your shop’s accounts.
    </p>
  );
}
