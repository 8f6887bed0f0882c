// Pure: what a file of clients or orders may hold, and how the text of a cell becomes a value.

export type Value = string | number | boolean | string[];
export type Converted = { value: Value } | { error: string };

export interface Field {
  name: string;
  label: string;
  required: boolean;
  /** What a column may be called, in letters and digits of lower case alone. */
  aliases: readonly string[];
  /** Turn a cell that is not blank into a value. */
  convert: (cell: string) => Converted;
}

/** What to say of a value that has not the form that the API asks for, by field. */
export const FORMS: Record<string, string> = {
  email: "is no e-mail address",
  currency: "is no currency of three capital letters, such as USD",
};

export type Kind = "clients" | "orders";

const YES = new Set(["true", "yes", "y", "1", "x", "on"]);
const NO = new Set(["false", "no", "n", "0", "off"]);
const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?(Z|[+-]\d{2}:?\d{2})?$/;
const TAGS_APART = /[,;|]/;

function text(cell: string): Converted {
  return { value: cell };
}

function wholeNumber(cell: string): Converted {
  const value = Number(cell);
  if (!/^\d+$/.test(cell) || !Number.isSafeInteger(value)) {
    return { error: "is not a whole number" };
  }
  return { value };
}

function yesOrNo(cell: string): Converted {
  const word = cell.toLowerCase();
  if (YES.has(word)) return { value: true };
  if (NO.has(word)) return { value: false };
  return { error: "is neither yes nor no" };
}

function tags(cell: string): Converted {
  const found = cell.split(TAGS_APART).map((tag) => tag.trim());
  return { value: found.filter((tag) => tag !== "") };
}

/** A decimal comma is read as a point; what else is odd about an amount, the API says. */
function amount(cell: string): Converted {
  return { value: /^-?\d+,\d{1,2}$/.test(cell) ? cell.replace(",", ".") : cell };
}

/**
 * A time without a zone is read in the reader's own. A date without a time is meant as the shop's:
 * noon in UTC is on that date in every zone from UTC−12 to UTC+11, wherever the reader sits.
 */
function moment(cell: string): Converted {
  const [, date, time, zone = ""] = DATE.exec(cell) ?? [];
  const read = new Date(`${date ?? ""}T${time === undefined ? "12:00Z" : `${time}${zone}`}`);
  const midnight = new Date(`${date ?? ""}T00:00Z`);
  // JavaScript takes 30 February for 2 March.
  const isWrong = [read, midnight].some((each) => Number.isNaN(each.getTime()));
  if (isWrong || date === undefined || !midnight.toISOString().startsWith(date)) {
    return { error: "is no date such as 2026-01-31 or 2026-01-31T18:30:00Z" };
  }
  return { value: read.toISOString() };
}

function field(
  name: string,
  label: string,
  aliases: string,
  convert: Field["convert"] = text,
  required = false,
): Field {
  return { name, label, required, aliases: aliases.split(" "), convert };
}

export const FIELDS: Record<Kind, readonly Field[]> = {
  clients: [
    field("id", "Id", "id clientid customerid clientnumber customernumber", wholeNumber),
    field("first_name", "First name", "firstname givenname forename name", text, true),
    field("surname", "Surname", "surname lastname familyname"),
    field("email", "E-mail", "email emailaddress mail"),
    field("phone", "Phone", "phone phonenumber telephone mobile"),
    field("address", "Address", "address address1 street postaladdress"),
    field("style_tags", "Style tags", "styletags tags style interests", tags),
    field("time_zone", "Time zone", "timezone zone tz"),
    field(
      "consent",
      "Agrees to be written to",
      "consent optin newsletter acceptsmarketing acceptsemailmarketing emailconsent agrees",
      yesOrNo,
    ),
  ],
  orders: [
    field("id", "Order id", "id orderid ordernumber", wholeNumber),
    field("client_id", "Client id", "clientid customerid client customer", wholeNumber, true),
    field("ordered_at", "Ordered at", "orderedat orderdate date createdat time", moment),
    field("amount", "Amount", "amount total value price sum ordertotal", amount, true),
    field("currency", "Currency", "currency currencycode"),
    field("status", "Status", "status orderstatus state"),
    field("category", "Category", "category producttype department"),
  ],
};
