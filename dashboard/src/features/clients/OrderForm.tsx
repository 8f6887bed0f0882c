// The form of an order, for a new one and for changes to one.
import type { OrderInput, OrderRow, OrderStatus } from "../../api/types.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { form, SelectField, TextField, textOf } from "../../shared/ui/Form.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";

const STATUSES: OrderStatus[] = [
  "placed",
  "paid",
  "shipped",
  "delivered",
  "cancelled",
  "refunded",
];

export type OrderFields = Omit<OrderInput, "client_id">;

interface Props {
  order: OrderRow | null;
  currency: string;
  busy: boolean;
  problem: unknown;
  onSubmit: (fields: OrderFields) => void;
  onCancel: () => void;
}

function fieldsOf(data: FormData): OrderFields {
  return {
    amount: (textOf(data, "amount") ?? "").replace(",", "."),
    currency: (textOf(data, "currency") ?? "").toUpperCase(),
    status: textOf(data, "status") as OrderStatus,
    category: textOf(data, "category") ?? "general",
  };
}

export function OrderForm({ order, currency, busy, problem, onSubmit, onCancel }: Props) {
  return (
    <form
      className={form["form"]}
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) onSubmit(fieldsOf(new FormData(event.currentTarget)));
      }}
    >
      {problem === null ? null : <Problem error={problem} small />}
      <div className={form["pair"]}>
        <TextField
          label="Amount"
          name="amount"
          required
          inputMode="decimal"
          pattern="\d{1,14}([.,]\d{1,2})?"
          title="A number with at most two decimal places, such as 29.90"
          autoComplete="off"
          defaultValue={order?.amount}
          problem={problem}
        />
        <TextField
          label="Currency"
          name="currency"
          required
          pattern="[A-Za-z]{3}"
          title="Three letters, such as USD"
          maxLength={3}
          autoComplete="off"
          defaultValue={currency}
          problem={problem}
        />
      </div>
      <div className={form["pair"]}>
        <SelectField
          label="Status"
          name="status"
          defaultValue={order?.status ?? "placed"}
          hint="Cancelled and refunded orders do not count."
          problem={problem}
        >
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {status}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Category"
          name="category"
          maxLength={100}
          autoComplete="off"
          defaultValue={order?.category ?? "general"}
          problem={problem}
        />
      </div>
      <div className={form["actions"]}>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" weight="primary" disabled={busy}>
          {busy ? "Saving…" : order === null ? "Add order" : "Save changes"}
        </Button>
      </div>
    </form>
  );
}
