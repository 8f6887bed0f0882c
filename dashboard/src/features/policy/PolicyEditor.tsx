// The policy in force in words, the fields that change it, and what the change would do.
import { useMemo, useState } from "react";
import { useMay } from "../../auth/may.tsx";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { changesBetween, type PolicyRow } from "./document.ts";
import {
  documentOf,
  draftOf,
  isFine,
  numberOf,
  problemsOf,
  rebased,
  trialOf,
  type Draft,
} from "./draft.ts";
import { FullRun } from "./FullRun.tsx";
import styles from "./PolicyEditor.module.css";
import { PolicyForm } from "./PolicyForm.tsx";
import { useCurrentPolicy, usePreview } from "./queries.ts";
import { SavePolicy } from "./SavePolicy.tsx";
import { draftFrom, type PolicySearch } from "./search.ts";
import { InForce, Newer } from "./Standing.tsx";
import { useAddress } from "./useAddress.ts";
import { useSettled } from "./useSettled.ts";
import { Versions } from "./Versions.tsx";
import { WhatIfLine, WhatIfPanel } from "./WhatIfPanel.tsx";

/** How long a slider must rest before the API is asked. */
const SETTLE_MS = 200;

interface Props {
  search: PolicySearch;
  onSearch: (search: PolicySearch) => void;
  /** A run was started: the address names it from now on. */
  onRun: (run: number) => void;
}

export function PolicyEditor(props: Props) {
  const query = useCurrentPolicy();
  if (query.isPending) return <Loading what="the policy" />;
  if (query.data === undefined) {
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <>
      <Stale query={query} />
      <Editor current={query.data} {...props} />
    </>
  );
}

function Editor({ current, search, onSearch, onRun }: Props & { current: PolicyRow }) {
  // The version that the fields began with: one that comes into force meanwhile is told, not slipped in.
  const [base, setBase] = useState(current);
  const [draft, setDraft] = useState(() => draftFrom(search.try, current.document));
  const [cost, setCost] = useState(search.cost ?? "");
  const [saved, setSaved] = useState<PolicyRow | null>(null);
  const mayWrite = useMay("policy:write");
  const inForce = useMemo(() => draftOf(base.document), [base]);
  const problems = useMemo(() => problemsOf(draft), [draft]);
  const tried = useMemo(
    () => (isFine(problems) ? documentOf(base.document, draft) : null),
    [base, draft, problems],
  );
  const costEach = numberOf(cost);
  const asked = useMemo(
    () =>
      tried === null
        ? null
        : { policy: trialOf(base.document, tried), cost: costEach !== null && costEach >= 0 ? costEach : null },
    [base, tried, costEach],
  );
  const settled = useSettled(asked, SETTLE_MS);
  const preview = usePreview(base.version, settled?.policy ?? null, settled?.cost ?? null);
  const isBehind = settled !== asked || preview.isFetching;
  useAddress(useSettled(draft, SETTLE_MS), base, cost, search, onSearch);
  const isChanged = tried === null || changesBetween(base.document, tried).length > 0;
  function begin(row: PolicyRow, next: Draft): void {
    setBase(row);
    setDraft(next);
  }
  return (
    <>
      {saved?.version === base.version ? (
        <p className={styles["saved"]} role="status" data-testid="policy-saved">
          Version {saved.version} is in force. Clients are scored anew under it, which takes a while
          in a large shop.
        </p>
      ) : null}
      {current.version === base.version ? null : (
        <Newer
          base={base}
          newer={current}
          onTake={() => {
            begin(current, rebased(draft, base.document, current.document));
          }}
        />
      )}
      <div className={styles["columns"]}>
        <div className={styles["column"]}>
          <InForce row={current} />
          <Card
            title={mayWrite ? "Try other rules" : "Look at other rules"}
            aside={
              isChanged ? (
                <Button
                  small
                  onClick={() => {
                    setDraft(inForce);
                  }}
                >
                  Set all back
                </Button>
              ) : null
            }
          >
            <PolicyForm
              draft={draft}
              inForce={inForce}
              problems={problems}
              readOnly={false}
              onChange={setDraft}
            />
            <WhatIfLine preview={tried === null ? undefined : preview.data} />
          </Card>
        </div>
        <div className={styles["beside"]}>
          <WhatIfPanel
            query={preview}
            isFine={tried !== null}
            isBehind={isBehind}
            cost={cost}
            onCost={setCost}
          />
          {mayWrite ? (
            <SavePolicy
              base={base}
              tried={tried}
              preview={isBehind || preview.error !== null ? null : (preview.data ?? null)}
              previewFailed={!isBehind && preview.error !== null}
              onSaved={(row) => {
                begin(row, draftOf(row.document));
                setSaved(row);
              }}
              onOutdated={() => {
                window.scrollTo({ top: 0 });
              }}
            />
          ) : (
            <p className={styles["may"]}>
              To save a version you need the permission policy:write. You can share this page’s
              address: it holds what you tried.
            </p>
          )}
          <FullRun
            policy={asked?.policy ?? null}
            cost={asked?.cost ?? null}
            run={search.run ?? null}
            onRun={onRun}
          />
        </div>
      </div>
      <Versions
        from={search.from ?? null}
        to={search.to ?? null}
        onCompare={(from, to) => {
          onSearch({ ...search, from, to });
        }}
      />
    </>
  );
}
