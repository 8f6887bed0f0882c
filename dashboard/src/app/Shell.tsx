// What every page has around it: name, navigation, who is signed in, live state and counts.
import { Link, Outlet, useMatches, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { useMe } from "../auth/may.tsx";
import { ConnectionBanner } from "../features/status/ConnectionBanner.tsx";
import { Counts } from "../features/status/Counts.tsx";
import { StatusLine } from "../features/status/StatusLine.tsx";
import { TourOffer } from "../features/tour/TourOffer.tsx";
import { useLive } from "../live/useLive.ts";
import { useOwnTitle } from "../shared/title.ts";
import { AccountMenu } from "./AccountMenu.tsx";
import { PAGES } from "./navigation.ts";
import { ForbiddenPage } from "./pages/ErrorPage.tsx";
import styles from "./Shell.module.css";
import { Shortcuts } from "./Shortcuts.tsx";
import { useShortcuts } from "./useShortcuts.ts";

const Tour = lazy(async () => ({ default: (await import("../features/tour/Tour.tsx")).Tour }));

export function Shell() {
  const { scopes } = useMe();
  const mayReadClients = scopes.includes("clients:read");
  const mayFollow = mayReadClients || scopes.includes("emails:read");
  useLive(mayFollow ? "/api/events" : null);
  const [isHelping, setHelping] = useState(false);
  const help = useCallback(() => {
    setHelping(true);
  }, []);
  useShortcuts(help);
  const page = useMatches({ select: (matches) => matches[1] });
  const main = useRef<HTMLElement>(null);
  const shown = useRef(page?.routeId);
  useEffect(() => {
    // Another page begins at its beginning, also for those who do not see it change.
    if (shown.current !== page?.routeId) main.current?.focus({ preventScroll: true });
    shown.current = page?.routeId;
  }, [page?.routeId]);
  const own = useOwnTitle();
  const { tour } = useSearch({ from: "__root__" });
  const name = own ?? page?.staticData.title ?? "Not found";
  const needed = page?.staticData.scope;
  return (
    <>
      <title>{`${name} · Engage`}</title>
      <a className={styles["skip"]} href="#main">
        Skip to content
      </a>
      <header className={styles["header"]}>
        <div className={`${styles["inner"] ?? ""} ${styles["top"] ?? ""}`}>
          <Link to="/" className={styles["brand"]}>
            <img src="/icon.svg" alt="" />
            Engage
          </Link>
          <nav className={styles["nav"]} aria-label="Pages">
            {PAGES.filter(({ scope }) => scopes.includes(scope)).map(({ to, title }) => (
              <Link
                key={to}
                to={to}
                className={styles["link"]}
                activeOptions={{ exact: to === "/", includeSearch: false }}
              >
                {title}
              </Link>
            ))}
          </nav>
          <AccountMenu onHelp={help} />
        </div>
        {mayReadClients ? (
          <div className={styles["counts"]}>
            <div className={`${styles["inner"] ?? ""} ${styles["under"] ?? ""}`}>
              <Counts />
              <StatusLine />
              {tour === undefined ? <TourOffer /> : null}
            </div>
          </div>
        ) : null}
      </header>
      {mayFollow ? <ConnectionBanner /> : null}
      {mayReadClients && tour !== undefined ? (
        <Suspense fallback={null}>
          <Tour step={tour} />
        </Suspense>
      ) : null}
      <main className={styles["main"]} id="main" tabIndex={-1} ref={main}>
        {needed === undefined || scopes.includes(needed) ? (
          <Outlet />
        ) : (
          <ForbiddenPage title={name} scope={needed} />
        )}
      </main>
      <Shortcuts open={isHelping} onOpenChange={setHelping} />
    </>
  );
}
