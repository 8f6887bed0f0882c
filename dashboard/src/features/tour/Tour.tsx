// The guided tour: six steps that drive the running system and show what it measured. It stands
// above the page, which goes on as always, and can be left at any time.
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ComponentType } from "react";
import { Button } from "../../shared/ui/Button.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { useStats } from "../../shared/useStats.ts";
import { STEPS } from "./search.ts";
import { AnOrder } from "./steps/AnOrder.tsx";
import { AtRisk } from "./steps/AtRisk.tsx";
import { Operate } from "./steps/Operate.tsx";
import { TheEmail } from "./steps/TheEmail.tsx";
import { TheShop } from "./steps/TheShop.tsx";
import { Why } from "./steps/Why.tsx";
import styles from "./Tour.module.css";

const TOUR: readonly { title: string; Body: ComponentType }[] = [
  { title: "The shop and its clients", Body: TheShop },
  { title: "A client falls at risk", Body: AtRisk },
  { title: "Why this client", Body: Why },
  { title: "An email is written, and checked", Body: TheEmail },
  { title: "An order comes, and what writing is worth", Body: AnOrder },
  { title: "Operate it without fear", Body: Operate },
];

export function Tour({ step }: { step: number }) {
  const stats = useStats();
  const [isFolded, fold] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef<number | null>(null);
  const navigate = useNavigate();
  const isDemo = stats.data?.model_sandbox === true;
  useEffect(() => {
    // Only a step that somebody went to takes the focus, not the one that an address opened.
    if (shown.current !== null && shown.current !== step) heading.current?.focus();
    shown.current = step;
  }, [step]);
  const part = TOUR[step - 1];
  if (part === undefined) return null;
  const { title, Body } = part;
  const leave = (): void => {
    void navigate({ to: ".", search: (old) => ({ ...old, tour: undefined }), replace: true });
    document.getElementById("main")?.focus({ preventScroll: true });
  };
  return (
    <aside className={styles["panel"]} aria-labelledby="tour-title" data-testid="tour">
      <div className={styles["head"]}>
        <div>
          <p className={styles["step"]}>
            Guided tour, step {step} of {STEPS}
          </p>
          <h2 className={styles["title"]} id="tour-title" tabIndex={-1} ref={heading}>
            {title}
          </h2>
        </div>
        <div className={styles["acts"]}>
          <Button
            small
            aria-expanded={!isFolded}
            aria-controls="tour-body"
            onClick={() => {
              fold(!isFolded);
            }}
          >
            {isFolded ? "Unfold" : "Fold"}
          </Button>
          <Button small onClick={leave}>
            Leave the tour
          </Button>
        </div>
      </div>
      <div id="tour-body" className={styles["body"]} hidden={isFolded}>
        {stats.isPending ? null : stats.data === undefined ? (
          <Problem error={stats.error} onRetry={() => void stats.refetch()} small />
        ) : isDemo ? (
          <Body key={step} />
        ) : (
          <p>
            The tour is for the demo alone: it places orders. This system asks a real model, so it
            is not offered here.
          </p>
        )}
      </div>
      <nav className={styles["acts"]} aria-label="Steps of the tour">
        {step === 1 ? null : (
          <Link to="." search={(old) => ({ ...old, tour: step - 1 })} resetScroll={false}>
            ← Back
          </Link>
        )}
        {step === STEPS ? null : (
          <Link
            to="."
            search={(old) => ({ ...old, tour: step + 1 })}
            resetScroll={false}
            data-testid="tour-next"
          >
            Next: {TOUR[step]?.title} →
          </Link>
        )}
      </nav>
    </aside>
  );
}
