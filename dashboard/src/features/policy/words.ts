// Pure: a policy as sentences that a marketer would say.
import { count, plural } from "../../shared/format.ts";
import { clock, type ShopPolicy } from "./document.ts";

function share(value: number): string {
  return `${Number((value * 100).toPrecision(6))} %`;
}

export function inWords(policy: ShopPolicy): string[] {
  const { emails } = policy;
  const hours = emails.quiet_hours ?? null;
  return [
    `A client is at risk once the chance of an order within ${plural(policy.horizon_days, "day")} is ${share(policy.theta)} or lower, or down to ${share(policy.rho)} of what it was right after the last order; at the latest after ${plural(policy.silence_max_days, "day")} of silence.`,
    `After ${plural(policy.lapse_days, "day")} of silence a client counts as lapsed, and is not written to any more.`,
    policy.holdout_percent === 0
      ? "Nobody is kept in a comparison group, so the effect cannot be measured."
      : `${policy.holdout_percent} % of clients are kept in a comparison group that gets no email.`,
    `Who fell at risk more than ${plural(policy.hold_after_days, "day")} ago is written to only when a person releases it.`,
    emails.cap_days === 0
      ? "There is no limit on how often a client gets an email."
      : `A client gets at most one email in ${plural(emails.cap_days, "day")}.`,
    hours === null
      ? "Emails may go out at any hour."
      : `No email goes out from ${clock(hours.begin)} to ${clock(hours.end)} of the client’s own day.`,
    policy.auto_approve
      ? "A text that passes every check is final without a person."
      : "A person approves each text before it is final.",
    `What was held back goes on at up to ${count(emails.release_per_minute)} emails a minute, and an order within ${plural(emails.effect_days, "day")} counts as a return.`,
  ];
}
