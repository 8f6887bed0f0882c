// What every page has around it: name, navigation, live state and counts.
import { Link, Outlet } from "@tanstack/react-router";
import { ConnectionBanner } from "../features/status/ConnectionBanner.tsx";
import { Counts } from "../features/status/Counts.tsx";
import { StatusLine } from "../features/status/StatusLine.tsx";
import { useLive } from "../live/useLive.ts";
import styles from "./Shell.module.css";

export function Shell() {
  useLive("/api/events");
  return (
    <>
      <a className={styles["skip"]} href="#main">
        Skip to content
      </a>
      <header className={styles["header"]}>
        <div className={`${styles["inner"] ?? ""} ${styles["top"] ?? ""}`}>
          <Link to="/clients" className={styles["brand"]}>
            <img src="/icon.svg" alt="" />
            Engage
          </Link>
          <nav className={styles["nav"]} aria-label="Pages">
            <Link to="/clients" className={styles["link"]}>
              Clients
            </Link>
            <Link to="/emails" className={styles["link"]}>
              Emails
            </Link>
          </nav>
          <StatusLine />
        </div>
        <div className={styles["counts"]}>
          <div className={styles["inner"]}>
            <Counts />
          </div>
        </div>
      </header>
      <ConnectionBanner />
      <main className={styles["main"]} id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}
