"""Tools that say what numbers rest on: flags of quality, and the rows behind a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import Field

from twinlab.ask.plans.plan import Span as PlanSpan
from twinlab.assistants.results.schemas import Result, Span
from twinlab.assistants.results.tables import table_of
from twinlab.assistants.results.texts import visible_text
from twinlab.assistants.tools.arguments import (
    Instant,
    Name,
    OfSpan,
    Paged,
    asset_and_id,
    checked_cells,
    known_assets,
    known_name,
    span_of,
)
from twinlab.assistants.tools.call import Call
from twinlab.assistants.tools.tool import Tool
from twinlab.model.basics import Duration, parse_duration
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["EXPLAINING"]

_FLAGS = tuple(flag.name.lower() for flag in Flag)
_WIDE = parse_duration("1h")


class QualityArguments(OfSpan, Paged):
    """Arguments of `quality`."""

    asset_type: Name
    """Asset type."""
    signals: Annotated[list[Name], Field(min_length=1, max_length=50)] | None = None
    """By default all."""
    assets: Annotated[list[Name], Field(min_length=1, max_length=200)] | None = None
    """Ids; by default all."""


class WhyArguments(Paged):
    """Arguments of `why`."""

    what: Name
    """An asset as TYPE/ID with `signal` and `at`; an event as TYPE/ID; or the name of a KPI with `at`."""
    signal: Name | None = None
    """Of the asset."""
    at: Instant | None = None
    """An instant in the cell or window that is explained."""
    step: Duration | None = None
    """Explain the window of a rollup such as ``1h``; of a KPI, the width of its windows."""
    by: Name | None = None
    """Of a KPI: what it is grouped by."""
    group: Name | None = None
    """Of a KPI: one of these groups."""


def _quality(call: Call, given: QualityArguments) -> Result:
    twin = call.caller.twin
    span, notes = span_of(twin, given)
    ids = known_assets(twin, given.asset_type, given.assets)
    known = list(twin.model.asset_types[given.asset_type].signals)
    names = known if given.signals is None else [known_name(one, known, "signal") for one in given.signals]
    checked_cells(call, given.asset_type, names, ids, span)
    found = [_counts(twin, given.asset_type, name, ids, span) for name in names]
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["asset", "signal", *_FLAGS])
    cells = int(table[list(_FLAGS)].to_numpy().sum()) if len(table) else 0
    bad = int(table[["suspect", "fail", "missing"]].to_numpy().sum()) if len(table) else 0
    said = (
        f"{bad:,} of {cells:,} cells are suspect, fail or are missing." if cells else "There are no cells in the span."
    )
    return Result(
        says=said, known=cells > 0, value=None if not cells else bad / cells, unit="1", notes=list(notes), rows_used=cells,
        span=Span(start=f"{span.start}Z", stop=f"{span.stop}Z"),
        coverage=None if not cells else float(table[["pass", "suspect"]].to_numpy().sum() / cells),
        table=table_of(table, units=dict.fromkeys(_FLAGS, "1"), first=given.offset, rows=min(given.limit, call.limits.rows)),
    )  # fmt: skip


def _counts(twin: TwinReader, kind: str, signal: str, ids: list[str] | None, span: PlanSpan) -> pd.DataFrame:
    """Return how many cells of each asset have which flag; from rollups, if there are any."""
    steps = [one for one in twin.steps(kind, signal) if parse_duration(one) <= _WIDE]
    data = twin.history(
        kind, signals=[signal], assets=ids, start=span.start, stop=span.stop, step=steps[-1] if steps else None
    )
    counts: dict[str, object] = {"asset": [str(one) for one in data["asset"].values], "signal": signal}
    for name in _FLAGS:
        counts[name] = _count(data, signal, name, rolled=bool(steps))
    return pd.DataFrame(counts)


def _count(data: xr.Dataset, signal: str, flag: str, *, rolled: bool) -> object:
    if rolled:
        return data[f"{signal}_{flag}"].sum("time").values.astype("int64")
    return (data[f"{signal}_qc"] == Flag[flag.upper()].value).sum("time").values.astype("int64")


def _why(call: Call, given: WhyArguments) -> Result:
    twin = call.caller.twin
    what, signal = given.what, given.signal
    if "/" in what and what.partition("/")[0] in twin.model.asset_types:
        kind, asset = asset_and_id(twin, what)
        what = f"{kind}/{asset}"
        if signal is not None:
            signal = known_name(signal, list(twin.model.asset_types[kind].signals), "signal")
    elif "/" not in what:
        what = known_name(what, list(twin.model.kpis), "KPI")
    lineage = call.caller.call("why", what, signal, given.at, step=given.step, by=given.by, group=given.group)
    steps = lineage.table()
    rows = lineage.rows.reset_index(drop=True)
    origin = [] if rows.empty else [f"{len(rows)} rows of the ledger are behind it; the first are in the notes"]
    shown = [
        " · ".join(f"{name}: {value}" for name, value in row.items() if not _empty(value))
        for row in rows.head(10).to_dict("records")
    ]
    return Result(
        says=visible_text(lineage.subject), rows_used=len(rows), notes=[*origin, *map(visible_text, shown)],
        table=table_of(steps, units={}, first=given.offset, rows=min(given.limit, call.limits.rows)),
    )  # fmt: skip


def _empty(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value == "" or value != value  # noqa: PLR0124  (NaN)


EXPLAINING = (
    Tool("quality", "Quality of data", "How many cells of a span pass, are suspect, fail, are missing or not evaluated, by signal and asset.",
         QualityArguments, _quality),
    Tool("why", "What is behind a number",
         "The steps behind a value, an event or a KPI: rows of files, mapping, flags, definitions. Results of other tools have the arguments in `why`.",
         WhyArguments, _why, function="why"),
)  # fmt: skip
