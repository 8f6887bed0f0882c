// Filter and order of the list of emails; both live in the address.
import type { EmailFilter } from "../../api/keys.ts";
import type { EmailSort, EmailState } from "../../api/types.ts";
import { EMAIL_STATE_ORDER, EMAIL_STATES } from "../../shared/states.ts";
import { FilterChips, type Chip } from "../../shared/ui/FilterChips.tsx";
import { useStats } from "../../shared/useStats.ts";
import styles from "./EmailControls.module.css";

const SORTS: Record<EmailSort, string> = {
  "-created": "Newest first",
  "-value": "Most at stake first",
};

export const EMAIL_SORTS = Object.keys(SORTS) as EmailSort[];

interface Props {
  filter: EmailFilter;
  onChange: (change: Partial<EmailFilter>) => void;
}

export function EmailControls({ filter, onChange }: Props) {
  const episodes = useStats().data?.episodes;
  const chips: Chip<EmailState | null>[] = [
    { value: null, name: "All", count: episodes?.total ?? null },
    // States without any email are left out, but never the one that is chosen.
    ...EMAIL_STATE_ORDER.filter(
      (state) => (episodes?.by_state[state] ?? 0) > 0 || state === filter.state,
    ).map((state) => ({
      value: state,
      name: EMAIL_STATES[state].name,
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
      <select
        className={styles["sort"]}
        aria-label="Sort"
        value={filter.sort}
        onChange={(event) => {
          onChange({ sort: event.target.value as EmailSort });
        }}
      >
        {EMAIL_SORTS.map((sort) => (
          <option key={sort} value={sort}>
            {SORTS[sort]}
          </option>
        ))}
      </select>
    </div>
  );
}
