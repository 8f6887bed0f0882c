// The page for an address that leads nowhere, and for a page that failed.
import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { Empty, Problem } from "../../shared/ui/Notice.tsx";

export function NotFoundPage() {
  return (
    <Empty title="There is no such page">
      <p>
        The address may be mistyped. <Link to="/clients">See all clients</Link>.
      </p>
    </Empty>
  );
}

export function ErrorPage({ error, reset }: ErrorComponentProps) {
  return <Problem error={error} onRetry={reset} />;
}
