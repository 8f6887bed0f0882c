// The page of the policy in force and of what another would change.
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { PolicyEditor } from "../../features/policy/PolicyEditor.tsx";
import type { PolicySearch } from "../../features/policy/search.ts";
import { useIsHere } from "../useIsHere.ts";
import styles from "./pages.module.css";

const route = getRouteApi("/policy");

export function PolicyPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/policy" });
  const isHere = useIsHere(route.id);
  const change = useCallback(
    (next: PolicySearch) => {
      // A draft settles a moment after the last change.
      if (isHere()) void navigate({ search: next, replace: true });
    },
    [isHere, navigate],
  );
  const show = useCallback(
    (run: number) => {
      // What else the address holds may have changed since the run was asked for.
      if (isHere()) void navigate({ search: (now) => ({ ...now, run }), replace: true });
    },
    [isHere, navigate],
  );
  return (
    <>
      <h1 className={styles["titleAlone"]}>Policy</h1>
      <PolicyEditor search={search} onSearch={change} onRun={show} />
    </>
  );
}
