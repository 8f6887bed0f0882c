"""What may become of each client's episode: read from the design, not from the mailer."""

from tests.chaos.emails.books import Books, Doc

NEXT: dict[str | None, frozenset[str]] = {
    None: frozenset({"held_out", "held", "pending"}),
    "held_out": frozenset(),
    "held": frozenset({"pending", "recovered", "suppressed"}),
    "pending": frozenset({"deferred", "writing", "recovered", "suppressed"}),
    "deferred": frozenset({"pending", "recovered", "suppressed"}),
    "writing": frozenset({"pending", "draft", "rejected", "failed", "recovered", "suppressed"}),
    "draft": frozenset({"written", "rejected", "recovered", "suppressed"}),
    "written": frozenset({"sending", "recovered", "suppressed"}),
    "sending": frozenset({"sent", "uncertain"}),
    "sent": frozenset(),
    "uncertain": frozenset({"sent"}),
    "recovered": frozenset({"pending", "written"}),
    "suppressed": frozenset(),
    "rejected": frozenset({"pending"}),
    "failed": frozenset({"pending"}),
}
"""The transitions of the design's section 5, and no other."""

UNDER_WAY = frozenset({"pending", "deferred", "writing", "draft", "sending"})
"""States in which an episode waits for the system, when nobody has to approve anything. Nobody of
the journal is deferred: there is no cap and there are no quiet hours."""
GOES_OUT = frozenset({"draft", "written", "sending"})
"""Changes that must not come after a fact that forbids them."""
HAS_TEXT = frozenset({"draft", "written", "sending", "sent", "uncertain"})
ENDING_ACTS = {
    "order": frozenset({"recovered"}),
    "withdraw": frozenset({"suppressed"}),
    "unsubscribe": frozenset({"suppressed"}),
    "suppress": frozenset({"suppressed"}),
    # An erasure deletes the orders first: the scorer may say that the silence ended, and is right.
    "erase": frozenset({"suppressed", "recovered"}),
}
"""What people do that ends an episode, and how it ends."""
SHOWN_BY = {"unsubscribe": "withdraw"}
"""Acts that are seen in a row as another act is."""
ENDED = frozenset({"sent", "uncertain", "rejected", "failed", "suppressed"})
"""States that no order and no wish of the client ends any more."""
PERSONS_ACTS = frozenset({"release", "retry"})
NO_EPISODE = "none"


def ends_of(client: Doc, books: Books) -> frozenset[str]:
    """Return the states in which a client's episode may rest; NO_EPISODE where it need not be."""
    number, fate = client["client"], client["fate"]
    done, asked = books.done[number], books.asked[number]
    if client["episode"] is None:
        return frozenset({NO_EPISODE})
    out = frozenset({"sent", "uncertain"} if books.delivery else {"written"})
    ends = {
        "plain": out,
        "mute": frozenset({"suppressed"}),
        "held": frozenset({"held"}),
        "trouble": frozenset({"rejected", "failed"}),
    }[fate]
    if PERSONS_ACTS & asked.keys():
        ends = out if PERSONS_ACTS & done.keys() else ends | out
    ending = {act: end for act, end in ENDING_ACTS.items() if act in asked}
    if not ending:
        return ends
    # Whatever had ended before stays as it was; whether it came too late is another question.
    before = (ends & ENDED) if ending.keys() & done.keys() else ends
    # Who orders, or is erased, before the crossing is noticed never falls at risk.
    absent = {NO_EPISODE} if ending.keys() & {"order", "erase"} else set()
    return before.union(absent, *ending.values())


def forbidden_since(client: Doc, books: Books) -> list[tuple[str, float]]:
    """Return the facts that forbid an email to a client, each with a time at which it was true.

    Where the row is still there its commit's own time is known; elsewhere it was committed before
    the API said so.
    """
    number = client["client"]
    found = [] if client["consent"] else [("never consented", 0.0)]
    done = books.done[number]
    acts = [act for act in ENDING_ACTS if act in done]
    return found + [
        (act, books.committed.get((number, SHOWN_BY.get(act, act)), done[act])) for act in acts
    ]
