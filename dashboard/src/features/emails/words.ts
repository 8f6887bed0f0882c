// Pure: what the mailer's checks and the model's troubles are called, in a marketer's words.

/** What each rule of the checks caught, as the end of a sentence: see docs/emails.md. */
export const RULES: Readonly<Record<string, string>> = {
  length: "the subject or the text was too short or too long",
  plain: "it held markup, symbols or hidden characters",
  language: "a sentence was not English",
  link: "it held a link, an address, or a call to click or write somewhere",
  placeholder: "it held an unfilled placeholder",
  number: "it named a number that is no fact about the client",
  date: "it named a day or a span of time that is no fact about the client",
  offer: "it promised a discount, a gift or a price",
  product: "it named goods that the client never bought or tagged",
  name: "it did not greet the client by name, or it named somebody else",
  watching: "it told the client that they are watched or scored",
  machine: "it talked about prompts or instructions",
  signed: "it was signed, or broke off",
  facts_used: "it claimed to have used facts that were not given",
};

/** The names of rules, separated by commas as the mailer writes them, in words. */
export function rulesInWords(names: string): string {
  return names
    .split(",")
    .map((name) => RULES[name.trim()] ?? name.trim())
    .join("; ");
}

export function sentence(text: string): string {
  const full = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
}
