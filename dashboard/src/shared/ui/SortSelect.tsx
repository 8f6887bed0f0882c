// The order of a list: one of those that the API knows.
import styles from "./SortSelect.module.css";

interface Props<Sort extends string> {
  /** What each order is called, in the order in which they are offered. */
  sorts: Record<Sort, string>;
  value: Sort;
  onChange: (sort: Sort) => void;
}

export function SortSelect<Sort extends string>({ sorts, value, onChange }: Props<Sort>) {
  return (
    <select
      className={styles["sort"]}
      aria-label="Sort"
      value={value}
      onChange={(event) => {
        onChange(event.target.value as Sort);
      }}
    >
      {Object.entries<string>(sorts).map(([sort, name]) => (
        <option key={sort} value={sort}>
          {name}
        </option>
      ))}
    </select>
  );
}
