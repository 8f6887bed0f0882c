// The steps of an import: choose a file, map its columns, check every row, then load it.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { keys } from "../../../api/keys.ts";
import { runThrough, type Outcome, type Progress } from "./bulkLoad.ts";
import { CsvError, openTable, type Table } from "./csvFile.ts";
import { FIELDS, type Kind } from "./fields.ts";
import { guessMapping, type Mapping } from "./mapping.ts";
import type { Reading } from "./rows.ts";
import { sendTo, type Phase } from "./sendBatch.ts";

export interface Opened {
  file: File;
  table: Table;
}

export type Step =
  | { is: "choose"; error: string | null }
  | { is: "map"; opened: Opened }
  | { is: "running"; opened: Opened; phase: Phase; progress: Progress }
  | { is: "checked"; opened: Opened; outcome: Outcome }
  | { is: "done"; opened: Opened; outcome: Outcome };

export function useImport(kind: Kind) {
  const cache = useQueryClient();
  const [step, setStep] = useState<Step>({ is: "choose", error: null });
  const [mapping, setMapping] = useState<Mapping>({});
  const [consent, setConsent] = useState(false);
  const stopper = useRef<AbortController | null>(null);
  // Whoever leaves the page ends the run after the batch that is under way.
  useEffect(() => () => stopper.current?.abort(), []);

  async function choose(file: File): Promise<void> {
    try {
      const table = await openTable(file);
      setMapping(guessMapping(table.headers, FIELDS[kind]));
      setStep({ is: "map", opened: { file, table } });
    } catch (error) {
      // What Papa and the browser say is about the file; nothing else is thrown here.
      const said = error instanceof CsvError ? error.message : "The file cannot be read.";
      setStep({ is: "choose", error: said });
    }
  }

  async function run(opened: Opened, phase: Phase, checked: Outcome | null): Promise<void> {
    const { file, table } = opened;
    const reading: Reading = {
      headers: table.headers,
      fields: FIELDS[kind],
      mapping,
      defaults: kind === "clients" ? { consent } : {},
    };
    const own = new AbortController();
    stopper.current = own;
    const show = (progress: Progress): void => {
      setStep({ is: "running", opened, phase, progress });
    };
    show({ share: 0, accepted: 0, rejected: [] });
    const outcome = await runThrough({
      file,
      table,
      reading,
      known: new Map(checked?.rejected.map((row) => [row.line, row])),
      send: sendTo(kind, phase),
      signal: own.signal,
      onProgress: show,
    });
    if (phase === "load" && outcome.accepted > 0) {
      const changed = [keys.stats, keys.clientLists, ["orders"]];
      for (const queryKey of changed) void cache.invalidateQueries({ queryKey });
    }
    setStep({ is: phase === "check" ? "checked" : "done", opened, outcome });
  }

  return {
    step,
    mapping,
    setMapping,
    consent,
    setConsent,
    choose,
    run,
    cancel: () => stopper.current?.abort(),
    restart: () => {
      setStep({ is: "choose", error: null });
    },
    remap: (opened: Opened) => {
      setStep({ is: "map", opened });
    },
  };
}
