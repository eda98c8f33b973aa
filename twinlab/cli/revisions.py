"""``twinlab remap, revisions, promote, discard, rollback``: try another mapping, see what it changes, decide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.twin import Twin
    from twinlab.twin.revisions.diff import RevisionDiff
    from twinlab.twin.revisions.revision import Revision

__all__ = ["author_name", "diff_text"]

F = TypeVar("F", bound=Callable[..., Any])

#: Events and exceptions of a diff that are listed.
_LISTED: Final = 10


def _decided(command: F) -> F:
    """Return a command with the options of every decision."""
    author = click.option("--author", metavar="NAME", help="Who decides (default: this computer's user).")
    reason = click.option("--reason", default="", metavar="TEXT", help="Why; the twin's journal keeps it.")
    return author(reason(command))


def author_name(given: str | None) -> str:
    """Return who decides: the given name, or this computer's user."""
    import getpass  # noqa: PLC0415  (needed for a decision only)

    return given if given is not None else getpass.getuser()


@group.command(
    "remap", cls=Command, after="check",
    example="twinlab remap pilot/ fridges fridges-v2.yaml --reason 'B2 writes °F'\ntwinlab promote pilot/",
)  # fmt: skip
@twin_folder
@click.argument("source", help="The source whose mapping changes.")
@path_option("mapping", help="Its new mapping; the twin's own file stays until it is promoted.")
@click.option("--force", is_flag=True, help="Also if most rows lose their meaning.")
@_decided
def _remap(folder: Path, *, source: str, mapping: Path, force: bool, author: str | None, reason: str) -> None:
    """Build the history under another mapping, beside the published one, and show what it changes."""
    revision = open_twin(folder).remap(source, mapping, author=author_name(author), reason=reason, force=force)
    say(diff_text(revision.diff()))
    say(f"nobody else sees it yet: twinlab promote {folder} {revision.id}, or twinlab discard {folder} {revision.id}")


@group.command(
    "revisions", cls=Command, after="remap",
    example="twinlab revisions pilot/\ntwinlab revisions pilot/ fridges-20260305-081502-9f3a",
)  # fmt: skip
@twin_folder
@click.argument("revision", required=False, help="Show what this one changes.")
def _revisions(folder: Path, *, revision: str | None) -> None:
    """List revisions with who, when and why, or show what one changes."""
    twin = open_twin(folder)
    if revision is not None:
        say(diff_text(twin.revision(revision).diff()))
        return
    table = twin.revisions()
    if not len(table):
        say("no revisions; twinlab remap makes one")
    for row in table.to_dict("records"):
        who = f" by {row['author']}" if row["author"] else ""
        why = f": {row['reason']}" if row["reason"] else ""
        say(f"{row['revision']}  {row['state']}  {row['changes']}  {_time(row['created'])}{who}{why}")
        if row["decided_by"]:
            told = f": {row['decision_reason']}" if row["decision_reason"] else ""
            say(f"    {row['state']} {_time(row['decided'])} by {row['decided_by']}{told}")


@group.command("promote", cls=Command, after="revisions", example="twinlab promote pilot/ --reason 'checked on site'")
@twin_folder
@click.argument("revision", required=False, help="Its name (default: the open one, if there is just one).")
@_decided
def _promote(folder: Path, *, revision: str | None, author: str | None, reason: str) -> None:
    """Make a revision the published history."""
    chosen = _chosen(open_twin(folder), revision)
    chosen.promote(author=author_name(author), reason=reason)
    say(f"promoted {chosen.id}; twinlab rollback {folder} takes it back")


@group.command("discard", cls=Command, after="promote", example="twinlab discard pilot/")
@twin_folder
@click.argument("revision", required=False, help="Its name (default: the open one, if there is just one).")
@_decided
def _discard(folder: Path, *, revision: str | None, author: str | None, reason: str) -> None:
    """Delete a revision; nothing has changed."""
    chosen = _chosen(open_twin(folder), revision)
    chosen.discard(author=author_name(author), reason=reason)
    say(f"discarded {chosen.id}")


@group.command("rollback", cls=Command, after="discard", example="twinlab rollback pilot/ --reason 'the box was right'")
@twin_folder
@_decided
def _rollback(folder: Path, *, author: str | None, reason: str) -> None:
    """Take back the revision that was promoted last; rows stay."""
    twin = open_twin(folder)
    revision = twin.rollback(author=author_name(author), reason=reason)
    say(f"promoted {revision.id}: {twin.revisions().set_index('revision').loc[revision.id, 'decision_reason']}")


def _chosen(twin: Twin, name: str | None) -> Revision:
    """Return the named revision, or the only one that is open."""
    table = twin.revisions()
    names = table["revision"][table["state"] == "open"].tolist() if name is None else [name]
    if len(names) != 1:
        known = f"{', '.join(names)}; name one of them" if names else "none; twinlab remap makes one"
        msg = f"expected one open revision, got {known}"
        raise SchemaError(msg)
    found: Revision = twin.revision(str(names[0]))
    return found


def diff_text(diff: RevisionDiff) -> str:
    """Return what a revision changes as lines: by signal, then the assets, then events and exceptions, the first of each."""
    lines = [repr(diff)]
    for (kind, signal), cells in diff.cells.groupby(["asset_type", "signal"], sort=False):
        assets = sorted({str(one) for one in cells["asset"]})
        more = f" and {len(assets) - _LISTED} more" if len(assets) > _LISTED else ""
        lines.append(f"  {kind}.{signal}: {', '.join(assets[:_LISTED])}{more}")
    for table, column in ((diff.events, "event_type"), (diff.exceptions, "rule")):
        lines += [f"    {_line(row, column)}" for row in table.head(_LISTED).to_dict("records")]
        if len(table) > _LISTED:
            lines.append(f"    and {len(table) - _LISTED:,} more")
    return "\n".join(lines)


def _line(row: dict[Any, Any], column: str) -> str:
    """Return one changed event or exception as a line."""
    spans = [(row["start_before"], row["end_before"]), (row["start"], row["end"])]
    times = [f"{_time(start)} to {_time(end)}" for start, end in spans if _time(start) or _time(end)]
    return f"{row['change']} {row[column]} {row['asset']}  {' -> '.join(dict.fromkeys(times))}"


def _time(at: pd.Timestamp) -> str:
    return "" if str(at) == "NaT" else str(at)[:16]
