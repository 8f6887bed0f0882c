// The page of the policy in force and of what another would change.
import { getRouteApi, useNavigate, useRouter } from "@tanstack/react-router";
import { useCallback } from "react";
import { PolicyEditor } from "../../features/policy/PolicyEditor.tsx";
import type { PolicySearch } from "../../features/policy/search.ts";
import styles from "./pages.module.css";

const route = getRouteApi("/policy");

export function PolicyPage() {
  const search = route.useSearch();
  const router = useRouter();
  const navigate = useNavigate({ from: "/policy" });
  const change = useCallback(
    (next: PolicySearch) => {
      // A draft settles a moment after the last change: who left meanwhile is not called back.
      if (router.latestLocation.pathname !== route.id) return;
      void navigate({ search: next, replace: true });
    },
    [navigate, router],
  );
  const show = useCallback(
    (run: number) => {
      // What else the address holds may have changed since the run was asked for.
      void navigate({ search: (now) => ({ ...now, run }), replace: true });
    },
    [navigate],
  );
  return (
    <>
      <h1 className={styles["titleAlone"]}>Policy</h1>
      <PolicyEditor search={search} onSearch={change} onRun={show} />
    </>
  );
}
