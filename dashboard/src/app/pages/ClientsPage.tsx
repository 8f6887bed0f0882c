// The page of all clients.
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import type { ClientFilter } from "../../api/keys.ts";
import { May } from "../../auth/may.tsx";
import { ClientControls } from "../../features/clients/ClientControls.tsx";
import { CreateClient } from "../../features/clients/ClientDialogs.tsx";
import { ClientList } from "../../features/clients/ClientList.tsx";
import { clientFilterOf, readClientSearch } from "../../features/clients/search.ts";
import { useIsHere } from "../useIsHere.ts";
import clientStyles from "./ClientPage.module.css";
import styles from "./pages.module.css";

const route = getRouteApi("/clients");

export function ClientsPage() {
  const filter = clientFilterOf(route.useSearch());
  const navigate = useNavigate({ from: "/clients" });
  const isHere = useIsHere(route.id);
  const change = useCallback(
    (part: Partial<ClientFilter>) => {
      // A search is sent a moment after the last letter.
      if (!isHere()) return;
      void navigate({
        search: (previous) => readClientSearch({ ...clientFilterOf(previous), ...part }),
        replace: "search" in part,
      });
    },
    [isHere, navigate],
  );
  return (
    <>
      <div className={styles["head"]}>
        <h1 className={styles["title"]}>Clients</h1>
        <May scope="clients:write">
          <div className={clientStyles["acts"]}>
            <Link to="/clients/import" className={clientStyles["act"]}>
              Import CSV
            </Link>
            <CreateClient
              onCreated={(row) => {
                void navigate({ to: "/clients/$clientId", params: { clientId: row.id } });
              }}
            />
          </div>
        </May>
      </div>
      <ClientControls filter={filter} onChange={change} />
      <div className={styles["gap"]}>
        <ClientList filter={filter} />
      </div>
    </>
  );
}
