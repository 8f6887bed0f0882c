// How long a person's wording of a draft may be, as the API and the mailer have it.

export interface Bounds {
  min: number;
  max: number;
}

export const SUBJECT: Bounds = { min: 3, max: 100 };
export const BODY: Bounds = { min: 60, max: 3000 };

/** White space at the ends does not count: it is not sent. */
export function fits(text: string, { min, max }: Bounds): boolean {
  const length = text.trim().length;
  return min <= length && length <= max;
}
