"""The lineage of one window of a KPI: its formula, what it is made of, and the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import UnknownTermError
from twinlab.events.kpis.compute import kpi
from twinlab.events.kpis.window_contents import window_contents
from twinlab.history.lineage.event_rows import event_rows
from twinlab.model.terms import nearest
from twinlab.model.yamltext import write_line
from twinlab.twin.lineage.lineage import Lineage
from twinlab.twin.lineage.steps import Step
from twinlab.twin.lineage.texts import count_text, instant_text, span_text
from twinlab.twin.lineage.values import file_steps, rows_between

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.history import HistoryReader
    from twinlab.model.reader import TwinReader
    from twinlab.twin.lineage.definitions import DefinitionSteps

__all__ = ["kpi_lineage"]

#: Assets whose rows are read; a fleet has millions of rows in a window.
_MOST_ASSETS = 50


def kpi_lineage(
    twin: TwinReader,
    reader: HistoryReader,
    name: str,
    at: object,
    definitions: DefinitionSteps,
    *,
    on: str | None,
    by: str | None,
    group: str | None,
    every: str | None,
) -> Lineage:
    """Return the lineage of the window of a KPI around an instant.

    Raises
    ------
    UnknownTermError
        If there is no such KPI or group; shows the nearest.
    """
    contents = window_contents(twin, name, at, on=on, by=by, group=group, every=every)
    found = kpi(twin, name, on=on, by=by, every=contents.every, start=contents.start, stop=contents.stop).isel(time=0)
    if by is not None and group is not None:
        groups = [str(one) for one in found[by].values]
        if group not in groups:
            msg = f"expected a group of {name!r} by {by!r}, got {group!r}{nearest(group, groups)}"
            raise UnknownTermError(msg)
        found = found.sel({by: group})
    who = f", {group}" if group else ""
    subject = f"{name}{who}, {span_text(contents.start, contents.stop)} UTC"
    steps = [_result(found, by if group is None else None)]
    stated = contents.definition.model_dump(
        mode="json", exclude_defaults=True, exclude={"title", "owner", "definition"}
    )
    steps.append(definitions.of_model(f"kpis.{contents.name}", write_line(stated), 0))
    tables: list[pd.DataFrame] = []
    for kind, assets in contents.assets.items():
        for signal in contents.signals[kind]:
            _add_signal(steps, tables, reader, (kind, signal), assets, (contents.start, contents.stop), definitions)
    for kind, events in contents.events.items():
        _add_events(steps, tables, reader, kind, events, definitions)
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return Lineage(subject, tuple(steps), rows)


def _result(found: xr.Dataset, by: str | None) -> Step:
    title = str(found.attrs["title"])
    if by is not None:
        return Step("kpi", title, f"{found.sizes[by]} groups; give group=… to explain one of them")
    value, low, high, coverage = (float(found[name]) for name in ("value", "low", "high", "coverage"))
    unit = str(found.attrs.get("units", "1"))
    shown = "" if unit == "1" else f" {unit}"
    bounds = "all of it is known" if low == high else f"between {low:.6g} and {high:.6g}"
    settled = found["settled_until"].values
    text = f"{bounds}, {100 * coverage:.3g} % known, {count_text(int(found['samples']), 'sample')}"
    text += "" if np.isnat(settled) else f", settled until {instant_text(settled)}"
    return Step("kpi", f"{title} {'has no value' if np.isnan(value) else f'{value:.6g}{shown}'}", text)


def _add_signal(  # noqa: PLR0917
    steps: list[Step],
    tables: list[pd.DataFrame],
    reader: HistoryReader,
    series: tuple[str, str],
    assets: tuple[str, ...],
    span: tuple[np.datetime64, np.datetime64],
    definitions: DefinitionSteps,
) -> None:
    kind, signal = series
    read = [rows_between(reader, (kind, asset, signal), *span).assign(asset=asset) for asset in assets[:_MOST_ASSETS]]
    rows = pd.concat(read, ignore_index=True) if read else pd.DataFrame()
    place = len(steps)
    left = "" if len(assets) <= _MOST_ASSETS else f"; rows of the first {_MOST_ASSETS} assets"
    steps.append(Step("value", f"{kind}.{signal}", f"{count_text(len(assets), 'asset')}{left}", 0))
    steps.append(definitions.of_signal(kind, signal, place))
    if len(rows):
        _add_rows(steps, rows, place, definitions)
        tables.append(rows.assign(signal=signal))


def _add_events(  # noqa: PLR0917
    steps: list[Step],
    tables: list[pd.DataFrame],
    reader: HistoryReader,
    kind: str,
    events: pd.DataFrame,
    definitions: DefinitionSteps,
) -> None:
    place = len(steps)
    steps.append(Step("event", kind, count_text(len(events), "event"), 0))
    if kind not in reader.model.event_types:
        return
    rows = event_rows(reader, kind, [str(one) for one in events["event_id"]])
    if len(rows):
        _add_rows(steps, rows, place, definitions)
        tables.append(rows)


def _add_rows(steps: list[Step], rows: pd.DataFrame, explains: int, definitions: DefinitionSteps) -> None:
    for source, mine in rows.groupby("source", sort=False):
        place = len(steps)
        steps.append(Step("rows", str(source), count_text(len(mine), "row"), explains))
        steps.append(definitions.of_source(str(source), place))
        steps += file_steps(mine, place)
