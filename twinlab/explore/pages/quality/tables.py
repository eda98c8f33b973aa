"""Tables of the Quality page: flags by signal, and the rows of a cell with their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import panel as pn
from bokeh.models import DateFormatter

from twinlab.explore.charts.reading import shown_instant
from twinlab.explore.charts.scale import pretty_unit
from twinlab.explore.kit.panes import verdict_heading
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import number_formatter, table_buttons
from twinlab.history.read.direct import computed
from twinlab.languages import date_pattern, local_number, mark, tr, tr_values, trn
from twinlab.model.flags import FLAG_SEVERITY, Flag

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.explore.charts.reading import Window
    from twinlab.model.reader import TwinReader

__all__ = ["lineage_grid", "sample_rows", "summary_grid", "verdict_html"]

_COUNTS = ("fail", "missing", "suspect", "pass", "not_evaluated")
_TITLES = {
    "what": mark("signal"),
    "assets": mark("assets"),
    "pass": mark("pass"),
    "suspect": mark("suspect"),
    "fail": mark("fail"),
    "missing": mark("missing"),
    "not_evaluated": mark("not evaluated"),
    "coverage": mark("coverage (%)"),
    "not_pass": mark("did not pass (%)"),
}


def verdict_html(summary: pd.DataFrame, window: Window) -> Markup:
    """Return a heading and a sentence on a window: the number of samples, and how many of them didn't pass."""
    start, stop = (shown_instant(t) for t in window)
    span = tr("{start} to {stop} UTC", start=start, stop=stop)
    if not len(summary):
        return verdict_heading(tr("Nothing to judge"), tr("No signal has samples from {span}.", span=span), good=None)
    totals = {name: int(summary[name].sum()) for name in _COUNTS}
    judged = sum(totals[name] for name in _COUNTS[:4])
    if not judged:
        return verdict_heading(
            tr("Nothing was judged yet"), tr("No sample from {span} has a flag.", span=span), good=None
        )
    bad = {name: totals[name] for name in _COUNTS[:3] if totals[name]}
    if not bad:
        return verdict_heading(
            tr("Everything passed"),
            tr(
                "All {judged:,} samples of {summary}, {span}: none failed, none is suspect, none is missing.",
                judged=judged,
                summary=_signals(len(summary)),
                span=span,
            ),
            good=True,
        )
    parts = ", ".join(f"{local_number(f'{count:,}')} {tr(name)}" for name, count in bad.items())
    signals = int((summary[list(_COUNTS[:3])].sum(axis=1) > 0).sum())
    share = 100 * sum(bad.values()) / judged
    percent = local_number(f"{share:.3g}") + " %" if share >= 0.01 else tr("less than 0.01 %")
    detail = tr(
        "{parts}: {percent} of {judged:,} samples, {span}. Choose a signal to see where; click a cell to see its rows.",
        parts=parts,
        percent=percent,
        judged=judged,
        span=span,
    )
    return verdict_heading(
        trn(
            "{count} of {all} has samples that didn't pass",
            "{count} of {all} have samples that didn't pass",
            signals,
            all=_signals(len(summary)),
        ),
        detail,
        good=False,
    )


def _signals(count: int) -> str:
    return trn("{count} signal", "{count} signals", count)


def summary_grid(summary: pd.DataFrame) -> pn.widgets.Tabulator:
    """Return the table of flags by signal; one row can be selected."""
    counts = {name: number_formatter("0,0") for name in ("assets", *_COUNTS)}
    shares = {name: number_formatter("0.00") for name in ("coverage", "not_pass")}
    return pn.widgets.Tabulator(
        summary,
        pagination="remote",
        configuration=table_buttons(),
        page_size=8,
        show_index=False,
        hidden_columns=["asset_type", "signal"],
        selectable=1,
        disabled=True,
        layout="fit_data_fill",
        titles=tr_values(_TITLES),
        formatters=counts | shares,
        text_align=dict.fromkeys(("assets", *_COUNTS, "coverage", "not_pass"), "right"),
        stylesheets=[TABLE_SHEET],
        sizing_mode="stretch_width",
        margin=(4, 10),
    )


def sample_rows(twin: TwinReader, asset_type: str, asset: str, signal: str, window: Window) -> pd.DataFrame:
    """Return the samples of a cell with their flags and, if the twin has them, the rows that they were read from.

    Returns
    -------
    DataFrame
        For a twin with ``observations``: one row for each row of the ledger, as `twin.observations` returns it, with the
        flag of its cell, and one row without a source for each missing cell. Otherwise the columns ``time, flag, value``.
    """
    data = computed(twin.history(asset_type, signals=[signal], assets=[asset], start=window[0], stop=window[1]))
    spec = twin.model.asset_types[asset_type].signals[signal]
    names = {int(flag): flag.name.lower().replace("_", " ") for flag in Flag}
    time = data.time.values.astype("datetime64[ns]")
    flags = [names[int(code)] for code in data[f"{signal}_qc"].values[:, 0]]
    cells = pd.DataFrame({"time": time, "flag": flags, "value": data[signal].values[:, 0].astype(float)})
    read: Any = getattr(twin, "observations", None)
    if read is None:
        return _worst_first(cells)
    rows = read(f"{asset_type}/{asset}", signal, start=window[0], stop=window[1])
    if not len(rows):
        return _worst_first(cells)
    cadence = np.timedelta64(spec.cadence_ns, "ns")
    place = np.searchsorted(time, rows["time"].to_numpy().astype("datetime64[ns]"), side="right") - 1
    inside = (place >= 0) & (place < len(time))
    inside &= rows["time"].to_numpy() < time[np.maximum(place, 0)] + cadence
    rows = rows.assign(flag=np.where(inside, np.array(flags, object)[np.clip(place, 0, len(time) - 1)], ""))
    empty = cells[~np.isin(np.arange(len(time)), place[inside]) & (cells["flag"] == "missing").to_numpy()]
    both = pd.concat([rows, empty[["time", "flag"]]]) if len(empty) else rows
    first = ["time", "flag", "value", "written", "written_unit", "source", "file", "row", "tag", "ingest_time", "op"]
    return _worst_first(both[[c for c in first if c in both and both[c].notna().any()]])


def _worst_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by flag (fail, missing, suspect, others), then by time."""
    rank = {flag.name.lower().replace("_", " "): place for place, flag in enumerate(FLAG_SEVERITY)}
    places = rows["flag"].map(rank).fillna(len(rank))
    return (
        rows.assign(_rank=places)
        .sort_values(["_rank", "time"], kind="stable")
        .drop(columns="_rank")
        .reset_index(drop=True)
    )


def lineage_grid(rows: pd.DataFrame, *, unit: str = "") -> pn.viewable.Viewable:
    """Return the table of samples."""
    stamp = DateFormatter(format=date_pattern("%Y-%m-%d %H:%M:%S"), nan_format="–", null_format="–")
    shown = rows
    for name in ("written", "written_unit", "source", "file", "tag", "op"):
        if name in shown:
            shown = shown.assign(**{name: ["" if pd.isna(v) else str(v) for v in shown[name]]})
    titles = {
        "time": "time (UTC)",
        "written": tr("as written"),
        "written_unit": tr("unit as written"),
        "op": "operation",
    }
    titles |= {"value": f"value ({pretty_unit(unit)})"} if unit else {}
    titles |= {"ingest_time": tr("ingest time (UTC)")}
    return pn.widgets.Tabulator(
        shown,
        pagination="remote",
        configuration=table_buttons(),
        page_size=12,
        show_index=False,
        disabled=True,
        selectable=False,
        layout="fit_data_fill",
        titles=titles,
        formatters={
            "time": stamp,
            "ingest_time": stamp,
            "value": number_formatter("0,0.[000]"),
            "row": number_formatter("0"),
        },
        text_align={"value": "right", "row": "right"},
        stylesheets=[TABLE_SHEET],
        sizing_mode="stretch_width",
        margin=(4, 10),
    )
