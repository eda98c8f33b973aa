"""Pages of the reference that are no docstrings: commands with their help, units, flags and shapes."""

from __future__ import annotations

from collections.abc import Iterator

import click

UNITS = """# Units and shapes

What functions accept and return, wherever a docstring doesn't say something else.

| what | form |
|---|---|
| history of an asset type | xarray Dataset with the dimensions `time, asset`, lazy; `time` is `datetime64[ns]`, in UTC, the start of each cell |
| a signal | DataArray of float64 with `attrs["units"]`, a canonical unit of the table below; NaN is missing |
| its flags | `<signal>_qc`, uint8, same shape, with CF's `flag_values` and `flag_meanings` |
| rollups (`step=`) | `<signal>_mean`, `_min`, `_max`, `_sum`, `_count`, and counts for each flag, with CF's `cell_methods` |
| scenarios | the same with the further dimensions `scenario, replication` |
| events | pandas DataFrame, a row an event: `event_id, type, asset, start, end, planned_start, planned_end`, and properties |
| spans | half-open `[start, stop)`; times without a zone are UTC |
| durations | text with a unit (`"10min"`, `"7d"`) or `numpy.timedelta64` |

## Quality flags

| value | name |
|---|---|
{flags}

## Known units

A unit that isn't stated is `unknown`: it converts to nothing. `1` is the unit of bare numbers. `twinlab.model.canonical_unit` reads all of these spellings, and compounds and powers of
units; what it doesn't know is an error that names the nearest one.

| unit | also written |
|---|---|
{units}
"""


def units_page() -> str:
    """Return the page of units and shapes, as Markdown."""
    from twinlab.model import Flag
    from twinlab.model.units.table import ALIASES

    flags = "\n".join(f"| {flag.value} | {flag.name.lower()} |" for flag in Flag)
    rows = []
    for unit, spellings in sorted(ALIASES.items(), key=lambda row: row[0].casefold()):
        texts = [f"`{text}`" for text in spellings.split("|") if text.strip() and "`" not in text]
        rows.append(f"| `{unit}` | {', '.join(texts)} |")
    return UNITS.format(flags=flags, units="\n".join(rows))


def commands_page() -> str:
    """Return the page of all commands with their help, as Markdown."""
    from twinlab.cli.commands import group

    lines = ["# Commands", "", "What `twinlab COMMAND --help` prints.", ""]
    root = click.Context(group, info_name="twinlab", terminal_width=100, max_content_width=100)
    for name in group.list_commands(root):
        command = group.get_command(root, name)
        if command is not None and not command.hidden:
            lines += _command(command, name, root, level=2)
    return "\n".join(lines) + "\n"


def _command(command: click.Command, name: str, parent: click.Context, *, level: int) -> Iterator[str]:
    """Yield the section of a command, and those of its subcommands."""
    context = click.Context(command, info_name=name, parent=parent, terminal_width=100, max_content_width=100)
    yield from (
        f"{'#' * level} {context.command_path.removeprefix('twinlab ')}",
        "",
        "````text",
        command.get_help(context),
        "````",
        "",
    )
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            if inner is not None and not inner.hidden:
                yield from _command(inner, each, context, level=level + 1)
