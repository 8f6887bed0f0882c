// The page of all clients.
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import type { ClientFilter } from "../../api/keys.ts";
import { ClientControls } from "../../features/clients/ClientControls.tsx";
import { CreateClient } from "../../features/clients/ClientDialogs.tsx";
import { ClientList } from "../../features/clients/ClientList.tsx";
import { clientFilterOf, readClientSearch } from "../search.ts";
import styles from "./pages.module.css";

const route = getRouteApi("/clients");

export function ClientsPage() {
  const filter = clientFilterOf(route.useSearch());
  const navigate = useNavigate({ from: "/clients" });
  const change = useCallback(
    (part: Partial<ClientFilter>) => {
      void navigate({
        search: (previous) => readClientSearch({ ...clientFilterOf(previous), ...part }),
        replace: "search" in part,
      });
    },
    [navigate],
  );
  return (
    <>
      <div className={styles["head"]}>
        <h1 className={styles["title"]}>Clients</h1>
        <CreateClient
          onCreated={(row) => {
            void navigate({ to: "/clients/$clientId", params: { clientId: row.id } });
          }}
        />
      </div>
      <ClientControls filter={filter} onChange={change} />
      <div className={styles["gap"]}>
        <ClientList filter={filter} />
      </div>
    </>
  );
}
