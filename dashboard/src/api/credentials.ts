// Who speaks to the API: the bearer token that requests carry, and how another is got.

export interface Credentials {
  /** A token that still holds; null when nobody is signed in. Throws a ProblemError. */
  token: () => Promise<string | null>;
  /** Another token than this one, which the API refused; null when there is none to be had. */
  renew: (refused: string) => Promise<string | null>;
}

const nobody: Credentials = {
  token: () => Promise.resolve(null),
  renew: () => Promise.resolve(null),
};

let present: Credentials = nobody;

/** Let requests speak for someone from now on; null for nobody. */
export function speakFor(credentials: Credentials | null): void {
  present = credentials ?? nobody;
}

/** Send a request with the bearer token; one that is refused is sent once more with a new one. */
export async function withBearer(
  send: (headers: Record<string, string>) => Promise<Response>,
): Promise<Response> {
  const token = await present.token();
  if (token === null) return send({});
  const response = await send({ authorization: `Bearer ${token}` });
  if (response.status !== 401) return response;
  const another = await present.renew(token);
  if (another === null) return response;
  await response.body?.cancel();
  return send({ authorization: `Bearer ${another}` });
}
