// Asks before a run begins: what it would do, in the API's own numbers, and then starts it once.
import type { UseQueryResult } from "@tanstack/react-query";
import { Confirm } from "../../shared/ui/Confirm.tsx";
import { useStart } from "./queries.ts";
import type { Run } from "./shapes.ts";

interface Props<Preview> {
  title: string;
  act: string;
  path: "/api/backfills" | "/api/replays" | "/api/dead-letters/replays";
  /** The key of this question: also that of the start, however often it is tried. */
  asked: string;
  preview: Pick<UseQueryResult<Preview>, "data" | "error">;
  effectOf: (preview: Preview) => string;
  /** What to send; null where nothing would be done. */
  bodyOf: (preview: Preview) => object | null;
  onClose: () => void;
  onStarted: (run: Run) => void;
}

export function Ask<Preview>({
  title,
  act,
  path,
  asked,
  preview,
  effectOf,
  bodyOf,
  onClose,
  onStarted,
}: Props<Preview>) {
  const start = useStart();
  const known = preview.data;
  const body = known === undefined ? null : bodyOf(known);
  return (
    <Confirm
      open
      onOpenChange={onClose}
      title={title}
      effect={
        known !== undefined
          ? effectOf(known)
          : preview.error === null
            ? "What it would do is being counted…"
            : "What it would do could not be counted, so it cannot be started."
      }
      act={act}
      ready={body !== null}
      busy={start.isPending}
      problem={start.error ?? preview.error}
      onConfirm={() => {
        if (body === null) return;
        start.mutate(
          { path, body, key: asked },
          {
            onSuccess: (run) => {
              onClose();
              onStarted(run);
            },
          },
        );
      }}
    />
  );
}
