// The client and the email that steps 3 to 5 are about.
import type { ReactNode } from "react";
import type { EmailRow } from "../../api/types.ts";
import { useMay } from "../../auth/may.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { Waiting } from "./Fact.tsx";
import { useSubject } from "./queries.ts";

interface Props {
  children: (subject: EmailRow, all: readonly EmailRow[]) => ReactNode;
}

export function Subject({ children }: Props) {
  const mayRead = useMay("emails:read");
  return mayRead ? (
    <Found>{children}</Found>
  ) : (
    <p>This step is about an email. To see it you need the permission emails:read.</p>
  );
}

function Found({ children }: Props) {
  const found = useSubject();
  const subject = found.data?.items[0];
  if (subject !== undefined) return children(subject, found.data?.items ?? []);
  if (found.error !== null) {
    return <Problem error={found.error} onRetry={() => void found.refetch()} small />;
  }
  return <Waiting>Waiting for the first email to be written…</Waiting>;
}
