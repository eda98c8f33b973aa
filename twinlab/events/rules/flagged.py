"""Values that the quality tests flag: rules with ``flagged``.

Rules with ``when`` leave out failed values, so that they report what happened and not a wrong sensor; these rules report
the sensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import valid_cells
from twinlab.events.lifetimes import lifetimes
from twinlab.events.reading import Cells, read_cells
from twinlab.events.rules.exception_table import duration_text, exception_rows
from twinlab.events.rules.look_back import Evaluated, Reach, look_back, spans_of
from twinlab.events.rules.runs import last_valid_rows
from twinlab.model.basics import Duration, Term, parse_duration
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.rule_kind import RuleKind
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest
from twinlab.model.units.spelling import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.asset_types import AssetType
    from twinlab.model.reader import TwinReader
    from twinlab.model.rules import Rule
    from twinlab.model.signal import Signal

__all__ = ["FLAGGED", "FlaggedOptions", "flagged_spans"]

_WHAT = {"fail": (Flag.FAIL,), "suspect": (Flag.SUSPECT, Flag.FAIL)}
_TEN_MINUTES = 600 * 10**9


class FlaggedOptions(Options):
    """Options of a rule with ``flagged``."""

    signal: Term
    """Signal of the asset type."""
    flag: Literal["fail", "suspect"] = "fail"
    """Flag that is reported; with "suspect", values that fail are reported too."""
    lasting: Duration | None = None
    """How long every observation must have had the flag; one is enough by default."""


def flagged_faults(options: FlaggedOptions, spec: AssetType) -> list[str]:
    """Return what of the options doesn't fit an asset type."""
    if options.signal in spec.signals:
        return []
    return [f"there is no signal {options.signal!r}{nearest(options.signal, spec.signals)}"]


def flagged_spans(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the spans overlapping ``[start, stop)`` in which a signal's observations have the flag.

    A span begins with the first observation with the flag and ends with the first one without it, at the end of the
    asset's lifetime, or when the last observation is no longer valid (see `valid_cells`).
    """
    options = rule.options
    assert isinstance(options, FlaggedOptions)
    signal = twin.model.asset_types[rule.on].signals[options.signal]
    lasting = 0 if options.lasting is None else parse_duration(options.lasting)

    def read(low: int, assets: Sequence[str] | None) -> Evaluated | None:
        return _evaluated(twin, rule.on, options, low=low, stop_ns=stop_ns, assets=assets)

    def rows(found: Evaluated, *, earlier: bool) -> pd.DataFrame:
        spans = spans_of(found, start_ns=start_ns, stop_ns=stop_ns, lasting_ns=lasting, earlier=earlier)
        value = found.value[spans.runs.stop - 1, spans.runs.column]
        columns = {
            "value": value,
            "unit": "" if signal.kind == "state" else signal.unit,
            "text": _texts(signal, options, value, spans.lasted, spans.before),
            "beyond": spans.lasted / max(lasting, _TEN_MINUTES),
        }
        return exception_rows({"asset_type": rule.on, **spans.columns, **columns}, name=name, rule=rule)

    reach = Reach(lasting + signal.cadence_ns, valid_cells(signal.cadence_ns) * signal.cadence_ns, signal.cadence_ns)
    return look_back(read, rows, reach=reach, origin_ns=twin.model.origin_ns, start_ns=start_ns)


def _evaluated(
    twin: TwinReader, asset_type: str, options: FlaggedOptions, *, low: int, stop_ns: int, assets: Sequence[str] | None
) -> Evaluated | None:
    signal = options.signal
    found = next(read_cells(twin, asset_type, signals=[signal], start_ns=low, stop_ns=stop_ns, assets=assets))
    if not found.assets:
        return None
    cells = _with_empty_cells(found, stop_ns)
    # The newest observation says whether the sensor is right, also of a state, whose value is valid for longer.
    rows = last_valid_rows(cells.observed(signal), most=valid_cells(cells.cadence_ns))
    flag = np.take_along_axis(cells.flags[signal], np.maximum(rows, 0), axis=0)
    value = np.take_along_axis(cells.values[signal], np.maximum(rows, 0), axis=0)
    axis = cells.times.astype("int64")
    exists = axis[:, None] < lifetimes(twin, asset_type, cells.assets)[1]
    fulfilled = (rows >= 0) & np.isin(flag, _WHAT[options.flag]) & exists
    return Evaluated(axis, cells.assets, fulfilled, value, np.full(len(cells.assets), np.nan))


def _with_empty_cells(cells: Cells, stop_ns: int) -> Cells:
    """Return the cells with empty ones up to the stop, so that the validity of the last observation can end."""
    if not len(cells.times):
        return cells
    lacking = (stop_ns - 1 - int(cells.times[-1].astype("int64"))) // cells.cadence_ns
    if lacking <= 0:
        return cells
    more = cells.times[-1] + np.arange(1, lacking + 1) * np.timedelta64(cells.cadence_ns, "ns")
    empty = (lacking, len(cells.assets))
    return Cells(
        times=np.concatenate([cells.times, more]),
        assets=cells.assets,
        cadence_ns=cells.cadence_ns,
        values={name: np.concatenate([part, np.full(empty, np.nan)]) for name, part in cells.values.items()},
        flags={name: np.concatenate([part, np.full(empty, 9, "uint8")]) for name, part in cells.flags.items()},
        states=cells.states,
    )


def _texts(
    signal: Signal,
    options: FlaggedOptions,
    value: NDArray[np.float64],
    lasted: NDArray[np.int64],
    before: NDArray[np.bool_],
) -> list[str]:
    title = signal.title or options.signal.replace("_", " ")
    unit = "" if signal.kind == "state" or signal.unit in ("1", UNKNOWN) else f" {signal.unit}"
    what = {"fail": "failed its quality tests", "suspect": "suspect"}[options.flag]
    return [
        f"{title} {number:g}{unit}: {what} for {'more than ' if old else ''}{duration_text(span)}"
        for number, span, old in zip(value.tolist(), lasted.tolist(), before.tolist(), strict=True)
    ]


FLAGGED = RuleKind("flagged", flagged_spans, FlaggedOptions, faults=flagged_faults)
