"""``engage erase``: a client goes from every place, and that is verified."""

import getpass
from typing import Annotated, Any

import typer

from engage.erase import finish
from engage.frame import BadInput, Failed, Frame, JsonOption, StackFileOption, YesOption
from engage.postgres import connect
from engage.rows import Shop
from engage.settings import Settings
from engage.source import HTTP_NOT_FOUND, ask
from engage.tokens import access_token

ID_MAX = 2**63 - 1
NO_CONTENT = 204
SCOPE = "clients:write pii:read"
"""What client-api asks of whoever deletes a client."""
HELP = """\
Erase clients everywhere, and verify it place by place. There is no way back.

A client who is still in Postgres is deleted through client-api, which needs CLIENT_API_URL and a
client at its issuer (AUTH_ISSUER, TOOLS_CLIENT_ID, TOOLS_CLIENT_SECRET); orders, scores and texts
go with it at once. What follows is done for every erasure, also one that somebody began elsewhere:
it waits until capture, relay, scorer and mailer have gone through; takes away the clients' dead
letters and what superseded generations of the scorer have left; overwrites keys of both lanes that
the capture never told of; looks into Postgres and at the newest record of every key; and writes an
entry of the audit. Other clients' letters stay as they are.

What remains: ids, versions, states and counts; the hash of an address that asked for no more
emails; and, until the brokers compact, within 14 days, older records on topics. Letters of which
nothing tells whose they are, are listed; `--unreadable` takes them away, whosever they are.

Twice is harmless. Exit code 1: a place still holds something, and is named; run it again.

Example: `engage erase --client 42 --actor "Eve, ticket 7"`, or `engage erase --open`
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("erase", help=HELP)(erase)


def erase(
    *,
    client: Annotated[
        list[int] | None,
        typer.Option("--client", metavar="ID", min=1, max=ID_MAX, help="Whom; more than once."),
    ] = None,
    open_ones: Annotated[
        bool, typer.Option("--open", help="Finish all erasures that nobody has verified yet.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--finish", help="Delete no row: only finish and verify what was erased."),
    ] = False,
    unreadable: Annotated[
        bool,
        typer.Option("--unreadable", help="Also remove letters that tell nobody's id."),
    ] = False,
    actor: Annotated[
        str | None, typer.Option("--actor", help="Who does it, for the audit (default: you).")
    ] = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    stack_file: StackFileOption = None,
) -> None:
    """Run the command."""
    if open_ones == bool(client):
        raise BadInput("say either --client or --open")
    who = (actor or getpass.getuser()).strip()
    if not 1 <= len(who) <= 200:  # noqa: PLR2004 - as the column has it
        raise BadInput("--actor takes 1 to 200 characters")
    frame = Frame(stack_file, as_json=as_json)
    chosen = sorted(set(client or []))
    present = [] if keep or open_ones else _present(frame.settings, chosen)
    if present:
        if not frame.settings.client_api_url:
            raise BadInput("CLIENT_API_URL is not set: client-api alone may delete a client")
        token = access_token(frame.settings, SCOPE)
        named = ", ".join(map(str, present))
        frame.confirm(f"Client {named} will be erased, for ever.", yes=yes)
        for one in present:
            _delete(frame.settings.client_api_url, one, token)
    with frame.watching() as watcher:
        done = finish(
            frame.settings,
            None if open_ones else chosen,
            watcher,
            actor=who,
            unreadable=unreadable,
        )
    frame.tell({"deleted": present, **done}, *_lines(done))


def _present(settings: Settings, clients: list[int]) -> list[int]:
    with connect(settings.database) as database:
        return sorted(Shop(database).clients(clients))


def _delete(url: str, client: int, token: str) -> None:
    answer = ask(url, "DELETE", f"/api/clients/{client}", token)
    # One that is not there any more was erased meanwhile.
    if answer.status_code not in {NO_CONTENT, HTTP_NOT_FOUND}:
        raise Failed(f"client-api answers {answer.status_code}: client {client} is still there")


def _lines(done: dict[str, Any]) -> list[str]:
    if not done["clients"]:
        return ["no erasure is open"]
    lines = [f"erased and verified: client {', '.join(map(str, done['clients']))}"]
    for place, found in done["places"].items():
        told = found
        if isinstance(found, dict):
            told = ", ".join(f"{name} {number:,}" for name, number in found.items())
        lines.append(f"  {place}: {told}")
    for one in done["letters"]:
        lines.append(
            f"  {one['topic']}: {one['removed']:,} letters removed, {one['kept']:,} of others kept"
        )
        if one["unreadable"]:
            lines.append(f"    {one['unreadable']:,} tell nobody's id and stay until retention")
    lines.append(
        f"  older records go by compaction, within "
        f"{done['older_records_are_compacted_within_days']} days"
    )
    return lines
