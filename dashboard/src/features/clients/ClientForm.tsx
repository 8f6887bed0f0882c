// The form of a client, for a new one and for changes to one.
import type { ClientInput, ClientRow } from "../../api/types.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { CheckField, form, TextField, textOf } from "../../shared/ui/Form.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";

interface Props {
  client: ClientRow | null;
  busy: boolean;
  problem: unknown;
  onSubmit: (input: ClientInput) => void;
  onCancel: () => void;
}

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

function inputOf(data: FormData): ClientInput {
  return {
    first_name: textOf(data, "first_name") ?? "",
    surname: textOf(data, "surname"),
    email: textOf(data, "email"),
    phone: textOf(data, "phone"),
    address: textOf(data, "address"),
    style_tags: (textOf(data, "style_tags") ?? "")
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ""),
    time_zone: textOf(data, "time_zone") ?? "UTC",
    consent: data.get("consent") !== null,
  };
}

export function ClientForm({ client, busy, problem, onSubmit, onCancel }: Props) {
  return (
    <form
      className={form["form"]}
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) onSubmit(inputOf(new FormData(event.currentTarget)));
      }}
    >
      {problem === null ? null : <Problem error={problem} small />}
      <div className={form["pair"]}>
        <TextField
          label="First name"
          name="first_name"
          required
          maxLength={100}
          autoComplete="off"
          defaultValue={client?.first_name}
          problem={problem}
        />
        <TextField
          label="Surname"
          name="surname"
          maxLength={100}
          autoComplete="off"
          defaultValue={client?.surname ?? ""}
          problem={problem}
        />
      </div>
      <div className={form["pair"]}>
        <TextField
          label="E-mail"
          name="email"
          type="email"
          maxLength={320}
          autoComplete="off"
          defaultValue={client?.email ?? ""}
          problem={problem}
        />
        <TextField
          label="Phone"
          name="phone"
          type="tel"
          maxLength={50}
          autoComplete="off"
          defaultValue={client?.phone ?? ""}
          problem={problem}
        />
      </div>
      <TextField
        label="Address"
        name="address"
        maxLength={500}
        autoComplete="off"
        defaultValue={client?.address ?? ""}
        problem={problem}
      />
      <TextField
        label="Style tags"
        name="style_tags"
        hint="Separated by commas; the email's author may use them."
        autoComplete="off"
        defaultValue={client?.style_tags.join(", ")}
        problem={problem}
      />
      <TextField
        label="Time zone"
        name="time_zone"
        required
        maxLength={64}
        list="time-zones"
        autoComplete="off"
        defaultValue={client?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone}
        problem={problem}
      />
      <datalist id="time-zones">
        {ZONES.map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <CheckField
        label="Agrees to be written to"
        name="consent"
        defaultChecked={client?.consent ?? true}
      />
      <div className={form["actions"]}>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" weight="primary" disabled={busy}>
          {busy ? "Saving…" : client === null ? "Create client" : "Save changes"}
        </Button>
      </div>
    </form>
  );
}
