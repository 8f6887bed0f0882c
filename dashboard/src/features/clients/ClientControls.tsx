// Search, filter and order of the list of clients; all of it lives in the address.
import { useEffect, useId, useState } from "react";
import type { ClientFilter } from "../../api/keys.ts";
import type { ClientSort, ClientState } from "../../api/types.ts";
import { useMay } from "../../auth/may.tsx";
import { CLIENT_STATE_ORDER, CLIENT_STATES } from "../../shared/states.ts";
import { FilterChips, type Chip } from "../../shared/ui/FilterChips.tsx";
import { SortSelect } from "../../shared/ui/SortSelect.tsx";
import { useStats } from "../../shared/useStats.ts";
import styles from "./ClientControls.module.css";

/** A search is sent when the typing has paused for this long. */
const TYPING_MS = 250;

const SORTS: Record<ClientSort, string> = {
  "-score": "Highest score first",
  score: "Lowest score first",
  "-id": "Newest first",
  id: "Oldest first",
};

export const CLIENT_SORTS = Object.keys(SORTS) as ClientSort[];

interface Props {
  filter: ClientFilter;
  onChange: (change: Partial<ClientFilter>) => void;
}

export function ClientControls({ filter, onChange }: Props) {
  const clients = useStats().data?.clients;
  const byName = useMay("pii:read");
  const chips: Chip<ClientState | null>[] = [
    { value: null, name: "All", count: clients?.total ?? null },
    ...CLIENT_STATE_ORDER.map((state) => ({
      value: state,
      name: CLIENT_STATES[state].name,
      count: clients === undefined ? null : (clients.by_state[state] ?? 0),
    })),
  ];
  return (
    <div className={styles["controls"]}>
      <FilterChips
        label="State"
        chips={chips}
        value={filter.state}
        onChange={(state) => {
          onChange({ state });
        }}
      />
      <div className={styles["line"]}>
        <Search
          byName={byName}
          value={filter.search}
          onChange={(search) => {
            onChange({ search });
          }}
        />
        <SortSelect
          sorts={SORTS}
          value={filter.sort}
          onChange={(sort) => {
            onChange({ sort });
          }}
        />
      </div>
    </div>
  );
}

interface SearchProps {
  /** Who may not read names searches by id alone. */
  byName: boolean;
  value: string;
  onChange: (value: string) => void;
}

const ID = /^\d*$/;

function Search({ byName, value, onChange }: SearchProps) {
  const [text, setText] = useState(value);
  const [sent, setSent] = useState(value);
  const [seen, setSeen] = useState(value);
  const id = useId();
  const isRefused = !byName && !ID.test(text.trim());
  // The address changed otherwise than by typing here, such as by going back.
  if (value !== seen) {
    setSeen(value);
    if (value !== sent) {
      setText(value);
      setSent(value);
    }
  }
  const typed = text.trim();
  const isPending = typed !== value && typed !== sent && !isRefused;
  useEffect(() => {
    if (!isPending) return;
    const timer = setTimeout(() => {
      setSent(typed);
      onChange(typed);
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [isPending, typed, onChange]);
  return (
    <div className={styles["searchBox"]}>
      <input
        type="search"
        className={styles["search"]}
        aria-label={byName ? "Search clients by name or id" : "Search clients by id"}
        aria-invalid={isRefused}
        aria-describedby={isRefused ? id : undefined}
        placeholder={byName ? "Search by name or id" : "Search by id"}
        maxLength={100}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
      {isRefused ? (
        <p id={id} className={styles["refused"]} role="alert">
          Names are hidden from you: search by an id, in digits. Names need the permission pii:read.
        </p>
      ) : null}
    </div>
  );
}
