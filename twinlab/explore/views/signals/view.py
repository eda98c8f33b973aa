"""Views of signals: the request, the data that was read for it, and the charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from twinlab.explore.charts.reading import MAX_POINTS, Plan, Window, coarsen, cover, plan_reading, shown_instant
from twinlab.explore.charts.scale import axis_label, pretty_unit, runs
from twinlab.explore.charts.traces import Trace, raw_traces, rollup_traces, without_short_gaps
from twinlab.explore.views.signals.compare import align_period, cell_times
from twinlab.history.read.direct import computed
from twinlab.languages import tr
from twinlab.model.basics import parse_duration
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.explore.views.signals.compare import Period
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import Signal

__all__ = ["Chart", "Part", "SignalRequest", "View", "join_parts", "read_view"]

#: Largest number of runs of failed samples whose raw values are read for the chart of a rollup.
_MAX_LOOKUPS = 6
#: Name of the period dimension, and its label for the shown period.
PERIOD = "period"
SHOWN = "shown"


@dataclass(frozen=True)
class SignalRequest:
    """Selection that charts show."""

    asset_type: str
    signals: tuple[str, ...]
    assets: tuple[str, ...]
    window: Window
    # Asset -> display name.
    labels: Mapping[str, str] = field(default_factory=dict)
    # Comparison periods.
    periods: tuple[Period, ...] = ()
    # Origin of the time axis, counted in hours; None: the axis shows UTC.
    since: np.datetime64 | None = None
    # All assets in one chart, or one small chart each.
    layout: Literal["together", "multiples"] = "together"


@dataclass(frozen=True)
class Part:
    """Data that was read at one step: signals with one time axis, in all periods."""

    plan: Plan
    signals: tuple[str, ...]
    # One dataset per period, the shown one first, all on the same times.
    periods: tuple[xr.Dataset, ...]
    # Instants of the cells of each comparison period.
    own: tuple[NDArray[np.datetime64], ...]

    @property
    def data(self) -> xr.Dataset:
        """All periods as one dataset."""
        import xarray as xr  # noqa: PLC0415

        return self.periods[0] if len(self.periods) == 1 else xr.concat(self.periods, dim=PERIOD)


@dataclass(frozen=True)
class Chart:
    """Curves that share a value axis."""

    title: str
    y_label: str
    traces: tuple[Trace, ...]
    # State code -> name, if the value axis shows states.
    states: Mapping[int, str] | None = None
    # Display form of the unit; "" for states and dimensionless values.
    unit: str = ""


@dataclass(frozen=True)
class View:
    """Content of the charts."""

    request: SignalRequest
    parts: tuple[Part, ...]
    data: xr.Dataset
    charts: tuple[Chart, ...]

    @property
    def plan(self) -> Plan:
        """Plan of the first signal."""
        return self.parts[0].plan

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The curves of all charts."""
        return tuple(trace for chart in self.charts for trace in chart.traces)

    @property
    def y_label(self) -> str:
        """Name and unit of the first chart's value axis."""
        return self.charts[0].y_label

    @property
    def title(self) -> str:
        """Step, span and alignment as text."""
        start, stop = (shown_instant(t) for t in self.request.window)
        steps = dict.fromkeys(part.plan.title for part in self.parts)
        parts = [tr(" and ").join(steps), tr("{start} to {stop} UTC", start=start, stop=stop)]
        if self.request.since is not None:
            parts.append(tr("aligned by the events' starts"))
        elif self.request.periods:
            zone = self.request.periods[0].shift.zone
            parts.append(tr("periods aligned by {part}", part="UTC" if zone is None else f"the clock of {zone}"))
        return " · ".join(parts)


def read_view(twin: TwinReader, request: SignalRequest) -> View:
    """Read the data of a request and return it with its charts.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know an asset, a signal or an asset type.
    """
    specs = twin.model.asset_types[request.asset_type].signals
    plans: dict[Plan, list[str]] = {}
    for signal in request.signals:
        plans.setdefault(_plan(twin, request, signal), []).append(signal)
    parts = tuple(_read_part(twin, request, plan, tuple(signals)) for plan, signals in plans.items())
    data = join_parts([part.data for part in parts])
    if request.periods:
        data = data.assign_coords({PERIOD: [SHOWN, *(period.shift.text for period in request.periods)]})
    of = {signal: part for part in parts for signal in part.signals}
    groups: dict[tuple[str, str], list[str]] = {}
    for signal in request.signals:
        groups.setdefault(_axis(signal, specs[signal], of[signal].plan), []).append(signal)
    traces = {signal: _traces(twin, request, of[signal], signal) for signal in request.signals}
    return View(request, parts, data, _charts(request, specs, groups, traces, of))


def join_parts(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Merge signals that were read at several steps into one dataset.

    A signal without a cell at a time is NaN there, its flag *not evaluated*.
    """
    import xarray as xr  # noqa: PLC0415

    if len(parts) == 1:
        return parts[0]
    flags = {str(name): np.uint8(Flag.NOT_EVALUATED) for part in parts for name in part if str(name).endswith("_qc")}
    names = {str(name) for part in parts for name in part}
    fills = {name: flags.get(name, np.nan) for name in names}
    return xr.merge(parts, join="outer", fill_value=fills, compat="no_conflicts")


def _plan(twin: TwinReader, request: SignalRequest, signal: str) -> Plan:
    spec = twin.model.asset_types[request.asset_type].signals[signal]
    span = int((request.window[1] - request.window[0]).astype("timedelta64[ns]").astype("int64"))
    # Each step of a state is drawn as two points.
    limit = MAX_POINTS // 2 if spec.kind == "state" else MAX_POINTS
    return plan_reading(
        span,
        cadence_ns=spec.cadence_ns,
        steps=twin.steps(request.asset_type, signal),
        merge_raw=spec.kind == "gauge",
        limit=limit,
    )


def _read_part(twin: TwinReader, request: SignalRequest, plan: Plan, signals: tuple[str, ...]) -> Part:
    start, stop = cover(request.window, plan)

    def history(first: np.datetime64, last: np.datetime64) -> xr.Dataset:
        data = twin.history(
            request.asset_type,
            signals=list(signals),
            assets=list(request.assets),
            start=first,
            stop=last,
            step=plan.step,
        )
        return computed(data)

    def drawn(data: xr.Dataset) -> xr.Dataset:
        return data if plan.factor == 1 else coarsen(data, signals, factor=plan.factor, cell_ns=plan.cell_ns)

    shown = history(start, stop)
    if not request.periods:
        return Part(plan, signals, (drawn(shown),), ())

    def aligned(data: xr.Dataset, shift: str | None = None) -> xr.Dataset:
        return drawn(align_period(data, start=start, stop=stop, cell_ns=plan.cell_ns, shift=shift))

    found = [aligned(shown)]
    for period in request.periods:
        other = history(*own_span(period, (start, stop), plan.cell_ns))
        found.append(aligned(other, period.shift.text))
    time = found[0]["time"].values
    return Part(plan, signals, tuple(found), tuple(period.shift.own_times(time) for period in request.periods))


def own_span(period: Period, window: Window, cell_ns: int) -> Window:
    """Return the span of the cells of a comparison period for a window."""
    own = period.shift.own_times(cell_times(*window, cell_ns))
    own = own[~np.isnat(own)]
    half = np.timedelta64(cell_ns, "ns")
    return own.min() - half, own.max() + half


def _axis(signal: str, spec: Signal, plan: Plan) -> tuple[str, str]:
    """Return the key of the value axis of a signal: the drawn quantity and its unit."""
    if plan.raw:
        return ("state", signal) if spec.kind == "state" else ("value", spec.unit)
    if spec.kind == "state":
        return "share", tr("% of time")
    return ("increase" if spec.kind == "counter" else "value"), spec.unit


def _name(signal: str, spec: Signal) -> str:
    return spec.title or signal.replace("_", " ")


def _traces(twin: TwinReader, request: SignalRequest, part: Part, signal: str) -> list[list[Trace]]:
    """Return the curves of one signal, one list per period."""
    spec = twin.model.asset_types[request.asset_type].signals[signal]
    out = []
    for number, data in enumerate(part.periods):
        if part.plan.raw:
            flags = data[f"{signal}_qc"]
            out.append(raw_traces(data[signal], flags, labels=request.labels, step=spec.kind == "state"))
        else:
            failed = _failed_samples(twin, request, part, signal) if spec.kind == "gauge" and number == 0 else None
            out.append(rollup_traces(data, signal, failed=failed, labels=request.labels))
    if spec.gap is None:
        return out
    # Irregular signals have many empty cells; only runs longer than the declared gap are shown as missing.
    gap = np.timedelta64(parse_duration(spec.gap), "ns")
    return [without_short_gaps(traces, gap) for traces in out]


def _charts(
    request: SignalRequest,
    specs: Mapping[str, Signal],
    groups: Mapping[tuple[str, str], list[str]],
    traces: Mapping[str, list[list[Trace]]],
    of: Mapping[str, Part],
) -> tuple[Chart, ...]:
    out = []
    for (drawn, unit), signals in groups.items():
        names = [_name(signal, specs[signal]) for signal in signals]
        label = ", ".join(tr("increase of {name}", name=name) if drawn == "increase" else name for name in names)
        label = axis_label(label, "" if drawn == "state" else unit)
        shown_unit = "" if drawn == "state" else pretty_unit(unit)
        states = specs[signals[0]].states if drawn == "state" else None
        curves = [
            _curves(request, name, traces[s], of[s], several=len(signals) > 1)
            for s, name in zip(signals, names, strict=True)
        ]
        if request.layout == "multiples":
            for place, asset in enumerate(request.assets):
                mine = [[t for t in period if t.asset == place] for period in _by_period(curves)]
                out.append(
                    Chart(request.labels.get(asset, asset), label, tuple(_placed(request, mine)), states, shown_unit)
                )
            # Small charts have one value axis.
            return tuple(out)
        out.append(Chart("", label, tuple(_placed(request, _by_period(curves))), states, shown_unit))
    return tuple(out)


def _by_period(curves: list[list[list[Trace]]]) -> list[list[Trace]]:
    """Convert lists of curves by signal and period into lists by period."""
    return [[trace for signal in curves for trace in signal[number]] for number in range(len(curves[0]))]


def _curves(
    request: SignalRequest, name: str, periods: list[list[Trace]], part: Part, *, several: bool
) -> list[list[Trace]]:
    """Label curves with asset, signal (if several) and period; a small chart names its asset in the title."""
    small = request.layout == "multiples"
    out = []
    for number, traces in enumerate(periods):
        named = []
        for trace in traces:
            asset = request.labels.get(request.assets[trace.place], request.assets[trace.place])
            # The part after the asset: a state of the signal.
            state = trace.label.removeprefix(asset).removeprefix(": ")
            asset_part = [] if small or (several and len(request.assets) == 1) else [asset]
            signal_part = [name] if several or (small and not state) else []
            label = " · ".join([*asset_part, *signal_part]) + (
                f": {state}" if asset_part or signal_part else state
            ) * bool(state)
            own = None
            if number:
                label, own = f"{label}: {request.periods[number - 1].label}", part.own[number - 1]
            elif request.since is not None:
                label, own = tr("{label}: chosen event", label=label), trace.time
            named.append(replace(trace, label=label, asset=trace.place, period=number, own=own))
        out.append(named)
    return out


def _placed(request: SignalRequest, periods: list[list[Trace]]) -> list[Trace]:
    """Assign styles: a colour and dash per curve, fainter in comparison periods; for one curve a colour per event."""
    alone = request.since is not None and len(periods[0]) == 1
    return [
        replace(trace, place=number if alone else place, faint=0 if alone else number)
        for number, traces in enumerate(periods)
        for place, trace in enumerate(traces)
    ]


def _failed_samples(twin: TwinReader, request: SignalRequest, part: Part, signal: str) -> xr.DataArray | None:
    """Return the raw values of failed samples, which rollups leave out; None if they are too many."""
    import xarray as xr  # noqa: PLC0415

    name, data, plan = f"{signal}_fail", part.periods[0], part.plan
    if name not in data:
        return None
    spans = runs(np.asarray((data[name].values > 0).any(axis=1), bool))
    spec = twin.model.asset_types[request.asset_type].signals[signal]
    width = np.timedelta64(plan.cell_ns * plan.factor, "ns")
    cells = int((spans[:, 1] - spans[:, 0]).sum()) * plan.cell_ns * plan.factor // spec.cadence_ns if spans.size else 0
    if not 0 < len(spans) <= _MAX_LOOKUPS or cells > 20 * MAX_POINTS:
        return None
    time = data.time.values
    ends = [(time[first], time[last - 1] + width) for first, last in spans]
    if ends[-1][1] - ends[0][0] <= np.timedelta64(20 * MAX_POINTS * spec.cadence_ns, "ns"):
        # To read what is between them, too, costs less than several readings.
        ends = [(ends[0][0], ends[-1][1])]
    found = []
    for start, stop in ends:
        raw = computed(
            twin.history(request.asset_type, signals=[signal], assets=list(request.assets), start=start, stop=stop)
        )
        bad = raw[f"{signal}_qc"].values == Flag.FAIL
        found.append(raw[signal].isel(time=bad.any(axis=1)).where(bad[bad.any(axis=1)]))
    failed = found[0] if len(found) == 1 else xr.concat(found, dim="time")
    return failed if failed.sizes["time"] <= MAX_POINTS else None
