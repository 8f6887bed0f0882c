"""What a token may allow, resource by resource."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission, as it stands in a token's ``scope`` claim."""

    CLIENTS_READ = "clients:read"
    CLIENTS_WRITE = "clients:write"
    EMAILS_READ = "emails:read"
    EMAILS_APPROVE = "emails:approve"
    POLICY_READ = "policy:read"
    POLICY_WRITE = "policy:write"
    OPS_READ = "ops:read"
    OPS_REPLAY = "ops:replay"
    PII_READ = "pii:read"


MEANING: dict[Scope, str] = {
    Scope.CLIENTS_READ: "clients, orders, scores, effect and overview, and live events of these",
    Scope.CLIENTS_WRITE: "create, change and erase clients and orders",
    Scope.EMAILS_READ: "emails, episodes, their lineage and the ledger, and live events of these",
    Scope.EMAILS_APPROVE: "decide about emails, suppress addresses",
    Scope.POLICY_READ: "policies, and trying others",
    Scope.POLICY_WRITE: "put new policies in force",
    Scope.OPS_READ: "status, runs, dead letters and the audit",
    Scope.OPS_REPLAY: "start backfills and replays",
    Scope.PII_READ: "names, addresses and the texts of emails, which are masked without",
}
"""For people: what each allows."""
