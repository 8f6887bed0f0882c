// Loads a CSV file of clients or orders: first what it would do, then, if that pleases, for good.
import { FilterChips } from "../../../shared/ui/FilterChips.tsx";
import { Checked, Done } from "./Outcomes.tsx";
import { ChooseFile } from "./ChooseFile.tsx";
import type { Kind } from "./fields.ts";
import styles from "./Import.module.css";
import { MapColumns } from "./MapColumns.tsx";
import { Running } from "./Running.tsx";
import { useImport } from "./useImport.ts";

const KINDS: { value: Kind; name: string; count: null }[] = [
  { value: "clients", name: "Clients", count: null },
  { value: "orders", name: "Orders", count: null },
];

export function Import({ kind, onKind }: { kind: Kind; onKind: (kind: Kind) => void }) {
  return (
    <>
      <FilterChips label="What the file holds" chips={KINDS} value={kind} onChange={onKind} />
      <div className={styles["step"]}>
        <Steps key={kind} kind={kind} />
      </div>
    </>
  );
}

function Steps({ kind }: { kind: Kind }) {
  const work = useImport(kind);
  const { step } = work;
  switch (step.is) {
    case "choose":
      return (
        <ChooseFile kind={kind} error={step.error} onChoose={(file) => void work.choose(file)} />
      );
    case "map":
      return (
        <MapColumns
          kind={kind}
          opened={step.opened}
          mapping={work.mapping}
          onMapping={work.setMapping}
          consent={work.consent}
          onConsent={work.setConsent}
          onCheck={() => void work.run(step.opened, "check", null)}
          onBack={work.restart}
        />
      );
    case "running":
      return (
        <Running
          phase={step.phase}
          progress={step.progress}
          onCancel={work.cancel}
        />
      );
    case "checked":
      return (
        <Checked
          kind={kind}
          opened={step.opened}
          outcome={step.outcome}
          onLoad={() => void work.run(step.opened, "load", step.outcome)}
          onBack={() => {
            work.remap(step.opened);
          }}
        />
      );
    case "done":
      return (
        <Done kind={kind} opened={step.opened} outcome={step.outcome} onAgain={work.restart} />
      );
  }
}
