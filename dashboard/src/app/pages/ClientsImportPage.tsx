// The page on which a CSV file of clients or orders is imported.
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useMay } from "../../auth/may.tsx";
import { askFor } from "../../api/problem.ts";
import { Import } from "../../features/clients/import/Import.tsx";
import { kindOf, readImportSearch } from "../../features/clients/import/search.ts";
import { Empty } from "../../shared/ui/Notice.tsx";
import styles from "./pages.module.css";

const route = getRouteApi("/clients/import");

export function ClientsImportPage() {
  const kind = kindOf(route.useSearch());
  const navigate = useNavigate({ from: "/clients/import" });
  const may = useMay("clients:write");
  return (
    <>
      <Link to="/clients" className={styles["back"]}>
        ← All clients
      </Link>
      <div className={styles["head"]}>
        <h1 className={styles["title"]}>Import a file</h1>
      </div>
      {may ? (
        <Import
          kind={kind}
          onKind={(next) => {
            void navigate({ search: readImportSearch({ kind: next }), replace: true });
          }}
        />
      ) : (
        <Empty title="You may not import">
          <p>{askFor(["clients:write"])}</p>
        </Empty>
      )}
    </>
  );
}
