// The end of a paged list: loads the next page when it comes into view, or on demand.
import { useEffect, useRef } from "react";
import { Problem } from "./Notice.tsx";
import { Button } from "./Button.tsx";
import styles from "./LoadMore.module.css";

interface Props {
  hasMore: boolean;
  loading: boolean;
  error: unknown;
  onMore: () => void;
}

export function LoadMore({ hasMore, loading, error, onMore }: Props) {
  const end = useRef<HTMLDivElement>(null);
  const wanted = hasMore && !loading && error === null;
  useEffect(() => {
    const element = end.current;
    if (element === null || !wanted) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) onMore();
      },
      { rootMargin: "600px" },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [wanted, onMore]);

  if (error !== null) return <Problem error={error} onRetry={onMore} small />;
  if (!hasMore) return null;
  return (
    <div ref={end} className={styles["more"]}>
      {loading ? "Loading more…" : <Button onClick={onMore}>Load more</Button>}
    </div>
  );
}
