"""``twinlab fidelity``: how well a twin matches the truth of a plant."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from twinlab._click import Command, Several
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder

__all__: list[str] = []


@group.command(
    "fidelity", cls=Command, after="check",
    example="twinlab fidelity pilot/ --truth plant/\ntwinlab fidelity pilot/ --truth plant/ --by-asset --tolerance temperature=0.2",
)  # fmt: skip
@twin_folder
@path_option(
    "--truth", required=True, metavar="DIR", help="Folder of `twinlab plant run`, which may still run, with truth/."
)
@click.option("--since", metavar="TIME", help="Compare from this instant on, UTC.")
@click.option("--until", metavar="TIME", help="Compare until before this instant, UTC.")
@click.option("--types", cls=Several, metavar="TYPE", help="Compare these asset types only.")
@click.option("--assets", cls=Several, metavar="ID", help="Compare these assets only.")
@click.option("--by-asset", is_flag=True, help="A row for each asset of a signal.")
@click.option(
    "--tolerance", "tolerances", multiple=True, metavar="SIGNAL=X",
    help="Larger errors are wrong, in the signal's unit (default: its resolution).",
)  # fmt: skip
@path_option("--csv", metavar="FILE", help="Write the table there, too.")
def _fidelity(
    folder: Path, *, truth: Path, since: str | None, until: str | None, types: tuple[str, ...], assets: tuple[str, ...],
    by_asset: bool, tolerances: tuple[str, ...], csv: Path | None,
) -> None:  # fmt: skip
    """Compare a twin with the truth of a plant: errors with units, coverage, flags, latency."""
    from twinlab.errors import UnknownTermError  # noqa: PLC0415  (each command loads its rooms only)
    from twinlab.model.terms import nearest  # noqa: PLC0415
    from twinlab.plant.run.true_signals import true_signals  # noqa: PLC0415

    tables = true_signals(truth)
    for one in types:
        if one not in tables:
            msg = f"the truth has no asset type {one!r}{nearest(one, tables)}"
            raise UnknownTermError(msg)
    wanted = {name: table for name, table in tables.items() if not types or name in types}
    found = open_twin(folder).fidelity(
        wanted, start=since, stop=until, assets=assets or None, tolerances=dict(map(_tolerance, tolerances)), by_asset=by_asset
    )  # fmt: skip
    say(
        "Errors in `unit`; coverage, wrong (beyond the tolerance), flagged: shares; latency: s from a true row to its ingest."
    )
    # In blocks as wide as the terminal; in one piece if it goes to a file.
    width = shutil.get_terminal_size((1000, 24)).columns
    say(found.to_string(float_format="{:.4g}".format, na_rep="-", line_width=width))
    if csv is not None:
        found.to_csv(csv)
        say(f"wrote {csv}")


def _tolerance(given: str) -> tuple[str, float]:
    """Return the parts of an option ``signal=number``."""
    name, _, number = given.partition("=")
    try:
        return name, float(number)
    except ValueError:
        msg = f"expected a tolerance such as temperature=0.2, got {given!r}"
        raise click.BadParameter(msg, param_hint="--tolerance") from None
