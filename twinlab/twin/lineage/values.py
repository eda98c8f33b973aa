"""The lineage of a value: one cell of a signal, or one window of a rollup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.history.read.direct import computed
from twinlab.model.calibration import Calibrations
from twinlab.model.flags import Flag
from twinlab.twin.lineage.lineage import Lineage
from twinlab.twin.lineage.steps import Step
from twinlab.twin.lineage.texts import count_text, instant_text, span_text, value_text

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.model.signal import Signal
    from twinlab.twin.lineage.definitions import DefinitionSteps

__all__ = ["file_steps", "last_before", "row_steps", "rows_between", "value_lineage"]

#: How far back the observation that a state comes from is searched, one span after another; the last one is open.
_BACK = (np.timedelta64(1, "D"), np.timedelta64(32, "D"), None)
#: Files of which each has a step of its own.
_MOST_FILES = 6


def value_lineage(
    reader: HistoryReader,
    series: tuple[str, str, str],
    window: tuple[np.datetime64, np.datetime64],
    definitions: DefinitionSteps,
    calibrations: Calibrations,
    *,
    step: str | None = None,
) -> Lineage:
    """Return the lineage of the cell, or of the window of a rollup, that begins at an instant.

    Parameters
    ----------
    series : (asset type, asset, signal)
    window : (start, stop)
        Of the cell or of the window.
    step : str, optional
        Of the rollup; without it the value is that of one cell.
    """
    asset_type, asset, signal = series
    spec = reader.model.asset_types[asset_type].signals[signal]
    start, stop = window
    subject = f"{asset_type}/{asset} {signal}, {span_text(start, stop)} UTC"
    cells = computed(reader.history(asset_type, signals=[signal], assets=[asset], start=start, stop=stop))
    values = cells[signal].to_numpy()[:, 0].astype(np.float64)
    flags = cells[f"{signal}_qc"].to_numpy()[:, 0]
    title, text = _answer(values, flags, spec, step)
    rows = rows_between(reader, series, start, stop)
    if not len(rows) and spec.states is not None and not np.isnan(values[:1]).all():
        rows = last_before(reader, series, start)
        text += "; it applies since the last observation"
    steps = [Step("value", title, text)]
    steps += _flag_steps(values, flags, step)
    steps += _calibration_steps(calibrations, series, spec, values[0] if len(values) else np.nan, start)
    steps.append(definitions.of_signal(asset_type, signal, 0))
    steps += row_steps(rows, series, definitions, first=len(steps))
    return Lineage(subject, tuple(steps), rows)


def rows_between(reader: HistoryReader, series: tuple[str, str, str], start: object, stop: object) -> pd.DataFrame:
    """Return the rows behind a signal of an asset in a span, with what became of each."""
    asset_type, asset, signal = series
    return reader.observations(f"{asset_type}/{asset}", signal, start=start, stop=stop, all=True)


def last_before(reader: HistoryReader, series: tuple[str, str, str], at: np.datetime64) -> pd.DataFrame:
    """Return the valid row that a state comes from."""
    rows = pd.DataFrame()
    for back in _BACK:
        rows = rows_between(reader, series, None if back is None else at - back, at)
        valid = rows[rows["standing"] == "valid"]
        if len(valid):
            return valid.tail(1).reset_index(drop=True)
    return rows.head(0)


def _answer(values: np.ndarray, flags: np.ndarray, spec: Signal, step: str | None) -> tuple[str, str]:
    """Return the value with its unit, and what is known of it."""
    if not len(values):
        return "no value", "outside of the history"
    if step is None:
        return value_text(float(values[0]), spec), f"flag {_name(flags[0])}"
    good = np.isin(flags, (Flag.PASS, Flag.SUSPECT)) & ~np.isnan(values)
    text = f"{count_text(int(good.sum()), 'cell')} of {len(values):,} with a good or suspect value"
    if not good.any():
        return "no value", text
    if spec.states is not None:
        codes, counts = np.unique(values[good].astype(np.int64), return_counts=True)
        return f"mostly {value_text(float(codes[counts.argmax()]), spec)}", text
    mean = float(values[good].mean())
    low, high = (value_text(float(one), spec) for one in (values[good].min(), values[good].max()))
    return f"mean {value_text(float(f'{mean:.6g}'), spec)}", f"{low} to {high}; {text}"


def _flag_steps(values: np.ndarray, flags: np.ndarray, step: str | None) -> list[Step]:
    """Return a step for each flag of a window of several cells; the flag of one cell is explained by its tests."""
    del values
    if step is None:
        return []
    codes, counts = np.unique(flags, return_counts=True)
    return [
        Step("flag", _name(code), count_text(int(number), "cell"), 0)
        for code, number in zip(codes, counts, strict=True)
        if code != Flag.PASS
    ]


def _calibration_steps(
    calibrations: Calibrations, series: tuple[str, str, str], spec: Signal, value: float, at: np.datetime64
) -> list[Step]:
    asset_type, asset, signal = series
    when = np.array([at.astype("datetime64[ns]").astype(np.int64)])
    out = []
    for one in calibrations.of(f"{asset_type}/{asset}", signal):
        first, last = one.span_ns
        if not first <= when[0] < last:
            continue
        offset, gain = float(one.offset_at(when)[0]), float(one.gain_at(when)[0])
        text = f"{gain:.6g} × value + {offset:.6g} {spec.unit}, by {one.author or 'unknown'}: {one.reason}"
        out.append(Step("calibration", f"calibrated {value_text(gain * value + offset, spec)}", text, 0))
    return out


def row_steps(
    rows: pd.DataFrame, series: tuple[str, str, str], definitions: DefinitionSteps, *, first: int, explains: int = 0
) -> list[Step]:
    """Return steps of rows: one for each source and tag, with its mapping and its files.

    Parameters
    ----------
    first : int
        Place of the first of these steps in the lineage.
    explains : int
        Place of the step that the rows lead to.
    """
    if not len(rows):
        return [Step("rows", "no row", "no source reported a value in this span", explains)]
    out: list[Step] = []
    for (source, tag), mine in rows.groupby(["source", "tag"], dropna=False, sort=False):
        place = first + len(out)
        shown = str(tag).removesuffix(f"@{series[0]}/{series[1]}")
        out.append(Step("rows", f"{source}, {shown}", _rows_text(mine), explains))
        out.append(definitions.of_tag(str(source), str(tag), series, place))
        out += file_steps(mine, place)
    return out


def file_steps(rows: pd.DataFrame, explains: int) -> list[Step]:
    """Return a step for each file of some rows, those with most rows first."""
    files = rows["file"].dropna().value_counts()
    out = []
    for file, number in files.head(_MOST_FILES).items():
        numbers = rows.loc[rows["file"] == file, "row"].dropna()
        what = f"row {int(numbers.iloc[0])}" if len(numbers) == 1 else ""
        if len(numbers) > 1:
            what = f"{count_text(int(number), 'row')}, {int(numbers.min())} to {int(numbers.max())}"
        out.append(Step("file", str(file), what or count_text(int(number), "row"), explains))
    if len(files) > _MOST_FILES:
        rest = files.iloc[_MOST_FILES:]
        out.append(Step("file", f"{len(rest)} more files", count_text(int(rest.sum()), "row"), explains))
    return out


def _rows_text(rows: pd.DataFrame) -> str:
    """Return what is known of the rows of one source and tag."""
    standings = rows["standing"].value_counts()
    others = ", ".join(f"{number:,} {name}" for name, number in standings.items() if name != "valid")
    more = f"; {others}" if others else ""
    if len(rows) > 1:
        return f"{count_text(len(rows), 'row')}, {span_text(rows['time'].min(), rows['time'].max())}{more}"
    one = rows.iloc[0]
    unit = "" if pd.isna(one["written_unit"]) or not one["written_unit"] else f" {one['written_unit']}"
    return f"{instant_text(one['time'])}: written {one['written']}{unit}, ingested {instant_text(one['ingest_time'])}{more}"


def _name(flag: int) -> str:
    return Flag(int(flag)).name.lower().replace("_", " ")
