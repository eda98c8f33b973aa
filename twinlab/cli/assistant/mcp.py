"""``twinlab mcp``: a twin for assistants, by the Model Context Protocol."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder

__all__: list[str] = []


@group.command(
    "mcp", cls=Command, after="ask",
    example="twinlab mcp pilot/\n"
    "twinlab mcp pilot/ --as dispatcher\n"
    "twinlab mcp pilot/ --http 127.0.0.1:8765 --users users.json\n"
    "twinlab mcp pilot/ --http 0.0.0.0:8766 --users users.json --cert cert.pem --key key.pem",
)  # fmt: skip
@twin_folder
@click.option(
    "--http", metavar="HOST:PORT", help="Serve over HTTP; by default one client over standard input and output."
)
@click.option(
    "--as",
    "roles",
    multiple=True,
    metavar="ROLE",
    help="Show no more than this role of the policy sees; can be repeated. By default all that isn't personal.",
)
@path_option("--users", metavar="FILE", help="HTTP: each request needs a token of a user, see: twinlab user token")
@path_option("--cert", metavar="PEM", help="HTTP: certificate; needed for an address that others can reach.")
@path_option("--key", metavar="PEM", help="HTTP: the certificate's key.")
@click.option(
    "--allow-proposals", is_flag=True, help="Commands may be proposed; a person approves them in the page Control."
)
@click.option(
    "--seconds", type=click.FloatRange(min=1, max=600), default=30, show_default=True, help="Most seconds of a call."
)
@click.option(
    "--rows", type=click.IntRange(min=1, max=200), default=200, show_default=True, help="Most rows of a table."
)
def _mcp(
    folder: Path, *, http: str | None, roles: tuple[str, ...], users: Path | None, cert: Path | None, key: Path | None,
    allow_proposals: bool, seconds: float, rows: int,
) -> None:  # fmt: skip
    """Serve a twin to assistants of others (Model Context Protocol), read-only."""
    from twinlab.assistants import HttpOptions, Limits, serve_http, serve_stdio  # noqa: PLC0415  (an extra)

    limits = Limits(seconds=seconds, rows=rows)
    if http is not None:
        options = HttpOptions.parse(http, users=users, certificate=cert, key=key)
        serve_http(
            open_twin(folder),
            options,
            as_roles=roles or None,
            proposals=allow_proposals,
            limits=limits,
            ready=_say_where,
        )
        return
    if users is not None or cert is not None or key is not None:
        msg = "expected --users, --cert and --key with --http only"
        raise click.UsageError(msg)
    serve_stdio(lambda: open_twin(folder), as_roles=roles or None, proposals=allow_proposals, limits=limits)


def _say_where(url: str) -> None:
    say(f"{url}\n(stop with Ctrl+C)")
