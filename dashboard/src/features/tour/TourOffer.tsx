// Offers the guided tour, where the system says that it runs on the sandbox model.
import { Link } from "@tanstack/react-router";
import { useStats } from "../../shared/useStats.ts";
import styles from "./Tour.module.css";

export function TourOffer() {
  const { data } = useStats();
  if (data?.model_sandbox !== true) return null;
  return (
    <Link to="/" search={{ tour: 1 }} className={styles["offer"]} data-testid="tour-offer">
      Guided tour
    </Link>
  );
}
