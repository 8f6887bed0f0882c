// Dead letters by topic and reason: how many wait for a person, and sending all of a topic again.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../../auth/may.tsx";
import { count } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { Empty, Loading, Problem } from "../../shared/ui/Notice.tsx";
import { Table, type Column } from "../../shared/ui/Table.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { Ask } from "./Ask.tsx";
import styles from "./Operations.module.css";
import { useLetterCounts } from "./queries.ts";
import type { LetterCounts, Run } from "./shapes.ts";
import { letterEffect } from "./words.ts";

export function LetterTopics({ onStarted }: { onStarted: (run: Run) => void }) {
  const letters = useLetterCounts();
  const mayReplay = useMay("ops:replay");
  const [asked, setAsked] = useState<{ counts: LetterCounts; key: string } | null>(null);
  const topics = letters.data?.topics.filter((one) => one.kept > 0) ?? [];
  const columns: Column<LetterCounts>[] = [
    {
      key: "topic",
      head: "Topic",
      heads: true,
      cell: (one) => (
        <Link to="/operations" search={{ tab: "letters", topic: one.topic }}>
          {one.topic}
        </Link>
      ),
    },
    {
      key: "waiting",
      head: "Wait",
      numeric: true,
      cell: (one) => <span data-testid={`waiting-${one.topic}`}>{count(one.waiting)}</span>,
    },
    {
      key: "reasons",
      head: "Reasons",
      cell: (one) => reasonsWords(one),
    },
    {
      key: "newest",
      head: "Newest",
      cell: (one) =>
        one.newest?.parked_at == null ? "not told" : <Time at={one.newest.parked_at} />,
    },
    { key: "kept", head: "Kept", numeric: true, cell: (one) => count(one.kept) },
    ...(mayReplay
      ? [
          {
            key: "act",
            head: <span className="visuallyHidden">Send again</span>,
            cell: (one: LetterCounts) =>
              one.waiting === 0 ? null : (
                <Button
                  small
                  onClick={() => {
                    setAsked({ counts: one, key: crypto.randomUUID() });
                  }}
                >
                  Send all again…
                </Button>
              ),
          },
        ]
      : []),
  ];
  return (
    <Card title="Dead letters">
      {letters.isPending ? (
        <Loading what="dead letters" rows={3} />
      ) : letters.data === undefined ? (
        <Problem error={letters.error} onRetry={() => void letters.refetch()} />
      ) : topics.length === 0 ? (
        <Empty title="No dead letters">
          <p>
            Nothing is to be done. A record that a service cannot use is parked here, with its
            reason, instead of lost.
          </p>
        </Empty>
      ) : (
        <div className={styles["rows"]}>
          {letters.isError ? (
            <Problem error={letters.error} onRetry={() => void letters.refetch()} small />
          ) : null}
          <p className={styles["mute"]}>
            Parked records that no service could use. Mend the cause first, then send them again.
          </p>
          <Table
            label="Dead letters by topic"
            columns={columns}
            rows={topics}
            keyOf={(one) => one.topic}
            testId="letter-topics"
          />
        </div>
      )}
      {asked === null ? null : (
        <Ask
          key={asked.key}
          title={`Send the dead letters of ${asked.counts.topic} again?`}
          act="Send again"
          path="/api/dead-letters/replays"
          asked={asked.key}
          preview={{ data: asked.counts, error: null }}
          effectOf={(counts) => letterEffect(counts.topic, counts.waiting, null)}
          bodyOf={({ topic }) => ({ topic })}
          onClose={() => {
            setAsked(null);
          }}
          onStarted={onStarted}
        />
      )}
    </Card>
  );
}

function reasonsWords({ reasons }: LetterCounts): string {
  const words = Object.entries(reasons).map(([reason, number]) => `${reason} (${count(number)})`);
  return words.length === 0 ? "–" : words.join(", ");
}
