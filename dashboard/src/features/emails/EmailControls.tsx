// Filter, search and order of the list of emails; all of them live in the address.
import { useState } from "react";
import type { EmailFilter } from "../../api/keys.ts";
import type { EmailSort, EmailState } from "../../api/types.ts";
import { EMAIL_STATE_ORDER, EMAIL_STATES } from "../../shared/states.ts";
import { FilterChips, type Chip } from "../../shared/ui/FilterChips.tsx";
import { SortSelect } from "../../shared/ui/SortSelect.tsx";
import { useStats } from "../../shared/useStats.ts";
import styles from "./EmailControls.module.css";
import { clientIdOf } from "./search.ts";

const SORTS: Record<EmailSort, string> = {
  "-value": "Most at stake first",
  "-created": "Newest first",
};

export const EMAIL_SORTS = Object.keys(SORTS) as EmailSort[];

/** What waits for a person comes first. */
const FOR_PEOPLE: readonly EmailState[] = ["draft", "held", "uncertain", "failed", "rejected"];
const ORDER = [
  ...FOR_PEOPLE,
  ...EMAIL_STATE_ORDER.filter((state) => !FOR_PEOPLE.includes(state)),
];

interface Props {
  filter: EmailFilter;
  onChange: (change: Partial<EmailFilter>) => void;
}

export function EmailControls({ filter, onChange }: Props) {
  const episodes = useStats().data?.episodes;
  const chips: Chip<EmailState | null>[] = [
    { value: null, name: "All", count: episodes?.total ?? null },
    // States without any email are left out, but never the one that is chosen.
    ...ORDER.filter(
      (state) => (episodes?.by_state[state] ?? 0) > 0 || state === filter.state,
    ).map((state) => ({
      value: state,
      name: state === "draft" ? "To approve" : EMAIL_STATES[state].name,
      count: episodes?.by_state[state] ?? 0,
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
      <div className={styles["find"]}>
        <ClientSearch key={filter.clientId} clientId={filter.clientId} onChange={onChange} />
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
  clientId: number | null;
  onChange: Props["onChange"];
}

/** Searches by a client's id: Enter searches, and an empty field shows all again. */
function ClientSearch({ clientId, onChange }: SearchProps) {
  const [text, setText] = useState(clientId === null ? "" : String(clientId));
  const isId = text.trim() === "" || clientIdOf(text) !== null;
  function search(value: string): void {
    if (value.trim() === "") onChange({ clientId: null });
    else if (clientIdOf(value) !== null) onChange({ clientId: clientIdOf(value) });
  }
  return (
    <form
      role="search"
      className={styles["search"]}
      onSubmit={(event) => {
        event.preventDefault();
        search(text);
      }}
    >
      <input
        type="search"
        inputMode="numeric"
        className={styles["field"]}
        aria-label="Search by client id"
        aria-invalid={isId ? undefined : true}
        aria-describedby={isId ? undefined : "client-id-note"}
        placeholder="Client id"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value === "" && clientId !== null) onChange({ clientId: null });
        }}
      />
      {isId ? null : (
        <p id="client-id-note" className={styles["note"]} role="status">
          An id is a whole number, such as 42.
        </p>
      )}
    </form>
  );
}
