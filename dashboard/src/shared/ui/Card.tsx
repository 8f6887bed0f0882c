// A titled section of a page.
import { useId, type ReactNode } from "react";
import styles from "./Card.module.css";

interface Props {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}

export function Card({ title, aside = null, children }: Props) {
  const id = useId();
  return (
    <section className={styles["card"]} aria-labelledby={id}>
      <div className={styles["head"]}>
        <h2 className={styles["title"]} id={id}>
          {title}
        </h2>
        <div className={styles["aside"]}>{aside}</div>
      </div>
      {children}
    </section>
  );
}
