// Step 6: a replay that changes nothing, books that balance, and a client who is erased.
import { Link } from "@tanstack/react-router";
import { count } from "../../../shared/format.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { useMay } from "../../../auth/may.tsx";
import { Fact, Facts, Waiting } from "../Fact.tsx";
import { useBooks, useIsThere, useLapsedClient } from "../queries.ts";
import { Replayed } from "../Replayed.tsx";
import { Subject } from "../Subject.tsx";

export function Operate() {
  const mayReplay = useMay("ops:read", "ops:replay");
  const mayErase = useMay("clients:write", "pii:read");
  const mayRead = useMay("emails:read");
  return (
    <>
      {mayReplay ? (
        <Subject>{(email) => <Replayed clientId={email.client_id} />}</Subject>
      ) : (
        <p>To replay a client you need the permissions ops:read and ops:replay.</p>
      )}
      {mayRead ? <Books /> : null}
      {mayErase ? (
        <Erased />
      ) : (
        <p>To erase a client you need the permissions clients:write and pii:read.</p>
      )}
    </>
  );
}

function Books() {
  const books = useBooks();
  const told = books.data;
  if (books.error !== null) {
    return <Problem error={books.error} onRetry={() => void books.refetch()} small />;
  }
  if (told === undefined) return <Waiting>Every episode is compared with its history…</Waiting>;
  return (
    <>
      <Facts>
        <Fact
          name="The ledger of episodes"
          from="each history read: GET /api/ledger?each=true"
          testId="tour-ledger"
        >
          {told.balanced ? "balances" : "does not balance"}: {count(told.total)} begun,{" "}
          {told.mismatched === null ? "none compared" : `${count(told.mismatched)} astray`}
        </Fact>
      </Facts>
      <div>
        <Button small disabled={books.isFetching} onClick={() => void books.refetch()}>
          Count again
        </Button>
      </div>
    </>
  );
}

function Erased() {
  const lapsed = useLapsedClient();
  const client = lapsed.data?.items[0] ?? null;
  const there = useIsThere(client?.id ?? null);
  if (lapsed.error !== null) {
    return <Problem error={lapsed.error} onRetry={() => void lapsed.refetch()} small />;
  }
  if (client === null) return null;
  return there.data === false ? (
    <Facts>
      <Fact name={`Client ${client.id}`} from="GET /api/clients" testId="tour-erased">
        is erased;{" "}
        <Link to="/operations" search={{ tab: "audit" }}>
          who did it stands in the audit
        </Link>
      </Fact>
    </Facts>
  ) : (
    <p>
      Last, the right to be forgotten:{" "}
      <Link to="/clients/$clientId" params={{ clientId: client.id }}>
        open client {client.id}
      </Link>
      , who left long ago, and choose “Erase”. Orders, scores and texts go at once, the copies in
      Kafka soon after. This step notices when it is done.
    </p>
  );
}
