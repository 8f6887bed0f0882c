// Every version of the policy, and what differs between two of them.
import { Card } from "../../shared/ui/Card.tsx";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { ChangeList } from "./ChangeList.tsx";
import { changesBetween, type PolicyRow } from "./document.ts";
import { usePolicies } from "./queries.ts";
import styles from "./Versions.module.css";

interface Props {
  from: number | null;
  to: number | null;
  onCompare: (from: number, to: number) => void;
}

export function Versions({ from, to, onCompare }: Props) {
  const query = usePolicies();
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title="Versions">
      {query.isPending ? (
        <Loading what="the versions" rows={2} />
      ) : query.data === undefined ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} small />
      ) : (
        <>
          <Stale query={query} />
          {rows.length > 1 ? (
            <Comparison rows={rows} from={from} to={to} onCompare={onCompare} />
          ) : null}
          <ol className={styles["list"]} role="list" aria-label="Versions, the newest first">
            {rows.map((row, index) => (
              <li key={row.version} className={styles["row"]} data-testid={`version-${row.version}`}>
                <span className={styles["version"]}>
                  {row.version}
                  {index === 0 ? <span className={styles["inForce"]}>in force</span> : null}
                </span>
                <span className={styles["note"]}>{row.note === "" ? "no note" : row.note}</span>
                <span className={styles["who"]}>
                  {row.created_by}, <Time at={row.created_at} year />
                </span>
              </li>
            ))}
          </ol>
          <LoadMore
            hasMore={query.hasNextPage}
            loading={query.isFetchingNextPage}
            error={query.isFetchNextPageError ? query.error : null}
            onMore={() => void query.fetchNextPage()}
          />
        </>
      )}
    </Card>
  );
}

function Comparison({ rows, from, to, onCompare }: Props & { rows: PolicyRow[] }) {
  const newest = rows[0];
  const older = rows[1];
  if (newest === undefined || older === undefined) return null;
  const before = rows.find((row) => row.version === from) ?? older;
  const after = rows.find((row) => row.version === to) ?? newest;
  const changes = changesBetween(before.document, after.document);
  const isMissing = [from, to].some(
    (version) => version !== null && rows.every((row) => row.version !== version),
  );
  function choice(label: string, chosen: PolicyRow, choose: (version: number) => void) {
    return (
      <label className={styles["choice"]}>
        {label}
        <select
          value={chosen.version}
          onChange={(event) => {
            choose(Number(event.target.value));
          }}
        >
          {rows.map(({ version }) => (
            <option key={version} value={version}>
              {version}
            </option>
          ))}
        </select>
      </label>
    );
  }
  return (
    <div className={styles["comparison"]}>
      <div className={styles["choices"]}>
        {choice("From version", before, (version) => {
          onCompare(version, after.version);
        })}
        {choice("to version", after, (version) => {
          onCompare(before.version, version);
        })}
      </div>
      {isMissing ? <p role="status">The version in the address is not among those shown.</p> : null}
      {changes.length === 0 ? (
        <p className={styles["same"]}>
          {before.version === after.version ? "Choose two versions." : "These two say the same."}
        </p>
      ) : (
        <ChangeList
          changes={changes}
          label={`Differences from version ${before.version} to ${after.version}`}
        />
      )}
    </div>
  );
}
