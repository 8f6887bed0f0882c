// The score of one client: the number, what follows from it, and why it is what it is.
import type { ScoreView } from "../../live/scores.ts";
import { day, percent } from "../../shared/format.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { Bar } from "../../shared/ui/ScoreBar.tsx";
import { Explanation } from "./Explanation.tsx";
import styles from "./ScoreCard.module.css";
import { ScoreHistory } from "./ScoreHistory.tsx";
import { featuresOf } from "./sentences.ts";
import { SlowNotice } from "./Updating.tsx";
import { WhatChanges } from "./WhatChanges.tsx";

export function ScoreCard({ clientId, score }: { clientId: number; score: ScoreView | null }) {
  return (
    <Card title="Score" aside={score === null ? null : `as of ${day(score.as_of)}`}>
      {score === null ? (
        <p data-testid="unscored">
          Not scored yet: the scorer has not met this client. It does so within seconds of the first
          row; if it lasts, Operations tells what waits where.
        </p>
      ) : (
        <Scored score={score} />
      )}
      <SlowNotice clientId={clientId} />
    </Card>
  );
}

function Scored({ score }: { score: ScoreView }) {
  const { explanation } = score;
  return (
    <>
      {score.score === null ? null : (
        <>
          <p className={styles["top"]}>
            <span className={styles["big"]} data-testid="score" data-value={score.score}>
              {percent(score.score)}
            </span>
            <span className={styles["of"]}>chance of an order within 90 days</span>
          </p>
          <p className={styles["bar"]}>
            <Bar score={score.score} state={score.state} entry={score.entry} />
          </p>
          {score.entry === null ? null : (
            <p className={styles["entry"]}>
              The mark is where risk begins for this client: {percent(score.entry)}
            </p>
          )}
        </>
      )}
      <ul className={styles["words"]} role="list">
        {featuresOf(score).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {score.score === null ? null : (
        <>
          {explanation === null ? null : (
            <Explanation parts={explanation.parts} total={explanation.total} score={score.score} />
          )}
          <WhatChanges score={{ ...score, score: score.score }} />
          <ScoreHistory clientId={score.client_id} asOf={score.as_of} />
        </>
      )}
    </>
  );
}
