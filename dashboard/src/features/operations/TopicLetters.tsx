// The dead letters of one topic that wait, one of them in detail, without personal data.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../../auth/may.tsx";
import { plural } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { Table, type Column } from "../../shared/ui/Table.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { Ask } from "./Ask.tsx";
import { headersOf, keyOf, reasonOf, valueOf } from "./letter.ts";
import styles from "./Operations.module.css";
import { useLetters } from "./queries.ts";
import type { Letter, Run } from "./shapes.ts";
import { letterEffect } from "./words.ts";

interface Props {
  topic: string;
  /** The offset of the letter that is open. */
  open: number | null;
  onStarted: (run: Run) => void;
}

export function TopicLetters({ topic, open, onStarted }: Props) {
  const letters = useLetters(topic);
  const found = letters.data?.pages.flatMap((page) => page.letters) ?? [];
  const waiting = letters.data?.pages[0]?.topics[0]?.waiting ?? 0;
  const shown = found.find((one) => one.offset === open);
  const columns: readonly Column<Letter>[] = [
    {
      key: "offset",
      head: "Letter",
      heads: true,
      cell: (one) => (
        <Link
          to="/operations"
          search={{ tab: "letters", topic, letter: one.offset }}
          aria-current={one.offset === open ? "true" : undefined}
        >
          {one.offset}
        </Link>
      ),
    },
    { key: "reason", head: "Reason", cell: reasonOf },
    {
      key: "parked",
      head: "Parked",
      cell: (one) => {
        const at = one.headers["parked_at"];
        return at === undefined ? "not told" : <Time at={at} />;
      },
    },
    { key: "attempt", head: "Try", numeric: true, cell: (one) => one.headers["attempt"] ?? "1" },
  ];
  return (
    <>
      <Card title={`Letters of ${topic}`}>
        {letters.isPending ? (
          <Loading what="letters" rows={3} />
        ) : letters.data === undefined ? (
          <Problem error={letters.error} onRetry={() => void letters.refetch()} />
        ) : found.length === 0 ? (
          <Empty title="No letter of this topic waits">
            <p>What was parked was made up for or dismissed: nothing is to be done.</p>
          </Empty>
        ) : (
          <div className={styles["rows"]}>
            <Stale query={letters} />
            <Table
              label={`Letters of ${topic}`}
              columns={columns}
              rows={found}
              keyOf={(one) => one.offset}
            />
            {waiting > found.length ? (
              <p className={styles["mute"]}>
                The oldest {found.length} of {plural(waiting, "letter")}.
              </p>
            ) : null}
            <LoadMore
              hasMore={letters.hasNextPage}
              loading={letters.isFetchingNextPage}
              error={letters.isFetchNextPageError ? letters.error : null}
              onMore={() => void letters.fetchNextPage()}
            />
          </div>
        )}
      </Card>
      {open === null || letters.data === undefined ? null : shown === undefined ? (
        letters.hasNextPage && open > (found.at(-1)?.offset ?? -1) ? (
          <Empty title={`Letter ${open} is not among those shown`}>
            <p>More letters wait: load more of them to find it.</p>
          </Empty>
        ) : (
          <Empty title={`Letter ${open} waits no more`}>
            <p>It was made up for or dismissed meanwhile.</p>
          </Empty>
        )
      ) : (
        <OneLetter key={shown.offset} letter={shown} onStarted={onStarted} />
      )}
    </>
  );
}

function OneLetter({ letter, onStarted }: { letter: Letter; onStarted: (run: Run) => void }) {
  const mayReplay = useMay("ops:replay");
  const [asked, setAsked] = useState<string | null>(null);
  return (
    <Card title={`Letter ${letter.offset}`}>
      <div className={styles["rows"]} data-testid="letter">
        <dl className={styles["facts"]}>
          {headersOf(letter).map(({ name, value }) => (
            <div key={name} className={styles["fact"]}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
          <div className={styles["fact"]}>
            <dt>key</dt>
            <dd>{keyOf(letter)}</dd>
          </div>
        </dl>
        <pre className={styles["record"]} aria-label="The record" tabIndex={-1}>
          {valueOf(letter)}
        </pre>
        <p className={styles["mute"]}>
          Values that might be about a person are hidden from everybody here.
        </p>
        {mayReplay ? (
          <div>
            <Button
              onClick={() => {
                setAsked(crypto.randomUUID());
              }}
            >
              Send this one again…
            </Button>
          </div>
        ) : null}
      </div>
      {asked === null ? null : (
        <Ask
          key={asked}
          title={`Send letter ${letter.offset} again?`}
          act="Send again"
          path="/api/dead-letters/replays"
          asked={asked}
          preview={{ data: letter, error: null }}
          effectOf={({ topic, offset }) => letterEffect(topic, 1, offset)}
          bodyOf={({ topic, offset }) => ({ topic, offset })}
          onClose={() => {
            setAsked(null);
          }}
          onStarted={onStarted}
        />
      )}
    </Card>
  );
}
