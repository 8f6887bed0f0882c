// Saves all that is kept about a client, for the client to have.
import { Button } from "../../shared/ui/Button.tsx";
import { Modal } from "../../shared/ui/Modal.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { useExportClient } from "./writes.ts";

export function ExportClient({ id }: { id: number }) {
  const save = useExportClient();
  return (
    <>
      <Button
        title="All that is kept about this client, as one JSON file; the audit notes that you asked."
        disabled={save.isPending}
        onClick={() => {
          save.mutate(id);
        }}
      >
        {save.isPending ? "Exporting…" : "Export"}
      </Button>
      <Modal
        open={save.isError}
        onOpenChange={() => {
          save.reset();
        }}
        title="The export failed"
      >
        <Problem
          error={save.error}
          onRetry={() => {
            save.mutate(id);
          }}
          small
        />
      </Modal>
    </>
  );
}
