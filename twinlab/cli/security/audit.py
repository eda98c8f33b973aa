"""``twinlab audit``: prove that a twin's audit is intact, search it, and get receipts of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinlab._click import Command, Group, Several
from twinlab.cli.commands import group, path_option, say, twin_folder

if TYPE_CHECKING:
    from twinlab.signing.keys import KeyRing

__all__: list[str] = []

_keys = path_option(
    "--keys",
    metavar="FILE",
    help="Whose signed heads count: the devices audit and audit/… (default: keys: of the twin's control.yaml, else keys.yaml).",
)


@group.group("audit", cls=Group, after="verify", example="twinlab audit verify pilot/ --heads /mnt/other/heads.jsonl")
def _audit() -> None:
    """Prove, search and receipt what was commanded, read, released and erased."""


@_audit.command(
    "verify", cls=Command,
    example="twinlab audit verify pilot/\ntwinlab audit verify pilot/ --heads /mnt/other/heads.jsonl --keys /safe/keys.yaml",
)  # fmt: skip
@twin_folder
@path_option(
    "--heads", cls=Several, metavar="PATH...", help="Signed heads from a second place: files, or folders of them."
)
@_keys
def _verify(folder: Path, *, heads: tuple[Path, ...], keys: Path | None) -> int:
    """Read the whole audit and prove that no row was edited, removed, reordered or cut; 1 if one was.

    Heads in the files of audit.heads of the twin's control.yaml are compared, too.
    """
    from twinlab.control.audit import verify_audit  # noqa: PLC0415  (each command loads its rooms only)
    from twinlab.twin.commanding.settings import head_files  # noqa: PLC0415

    report = verify_audit(_log(folder), heads=[*head_files(folder), *heads], keys=_ring(folder, keys))
    say(report.text())
    return 0 if report.intact else 1


@_audit.command(
    "show", cls=Command,
    example='twinlab audit show pilot/ --newest 20\ntwinlab audit show pilot/ --kind "command refused" --who ann --csv refused.csv',
)  # fmt: skip
@twin_folder
@click.option("--kind", "kinds", cls=Several, metavar="KIND...", help='Kinds such as "command refused" (default: all).')
@click.option("--who", cls=Several, metavar="NAME...", help="Rows with any of these names.")
@click.option("--since", metavar="TIME", help="First instant, UTC.")
@click.option("--until", metavar="TIME", help="End, not included, UTC.")
@click.option("--text", default="", metavar="TEXT", help="Rows with this text anywhere.")
@click.option("--newest", type=click.IntRange(min=1), metavar="N", help="The newest N rows, the newest first.")
@path_option("--csv", "table", metavar="FILE", help="Write CSV there instead; - writes it to the terminal.")
def _show(
    folder: Path, *, kinds: tuple[str, ...], who: tuple[str, ...], since: str | None, until: str | None, text: str,
    newest: int | None, table: Path | None,
) -> None:  # fmt: skip
    """Print rows of the audit, a line of JSON each."""
    from twinlab.control.audit import search  # noqa: PLC0415

    start, stop = (None if one is None else search.instant(one) for one in (since, until))
    which = search.RowFilter(kinds, who, start, stop, text)
    log = _log(folder)
    rows = search.find_rows(log, which) if newest is None else search.newest_rows(log, newest, which)
    if table is None:
        _say_lines(search.rows_as_lines(rows))
    elif str(table) == "-":
        _say_lines(search.rows_as_csv(rows))
    else:
        with table.open("w", encoding="utf-8", newline="") as file:
            file.writelines(f"{line}\n" for line in search.rows_as_csv(rows))
        say(f"wrote {table}")


@_audit.command("receipt", cls=Command, example="twinlab audit receipt pilot/ 117 --to receipt.json")
@twin_folder
@click.argument("row", type=click.IntRange(min=0), help="Number of the row.")
@path_option("--to", metavar="FILE", help="Write it there instead of to the terminal.")
@_keys
def _receipt(folder: Path, row: int, *, to: Path | None, keys: Path | None) -> None:
    """Write a proof that a row is in the audit, which needs no audit to be checked."""
    from twinlab.control.audit import make_receipt  # noqa: PLC0415

    receipt = make_receipt(_log(folder), row, keys=_ring(folder, keys))
    if to is None:
        say(receipt)
    else:
        to.write_text(receipt + "\n", encoding="utf-8")
        say(f"wrote {to}")


@_audit.command("check", cls=Command, example="twinlab audit check receipt.json --keys /safe/keys.yaml")
@path_option("receipt", help="A file that twinlab audit receipt wrote.")
@path_option("--keys", required=True, metavar="FILE", help="Whose signed heads count: the devices audit and audit/….")
def _check(receipt: Path, *, keys: Path) -> None:
    """Check a receipt: which row it proves, and when that was signed."""
    from twinlab.control.audit import check_receipt  # noqa: PLC0415
    from twinlab.signing.keys import KeyRingFile  # noqa: PLC0415

    row, head = check_receipt(receipt.read_text(encoding="utf-8"), keys=KeyRingFile(keys).read())
    say(f"row {row.n} was in the audit {head.log} when its head of {head.size} rows was signed at {head.at}:")
    say(f"{row.at} {row.kind}, {', '.join(row.who) or 'nobody'}: {dict(row.what)}")


def _say_lines(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _log(folder: Path) -> Path:
    from twinlab.twin.privacy.recording import AUDIT  # noqa: PLC0415

    return folder / AUDIT


def _ring(folder: Path, keys: Path | None) -> KeyRing:
    """Return the keys of a file, or of the twin; none if it has no such file."""
    from twinlab.signing.keys import KeyRingFile  # noqa: PLC0415
    from twinlab.twin.commanding.settings import key_ring  # noqa: PLC0415

    return key_ring(folder) if keys is None else KeyRingFile(keys).read()
