"""Suspects: channels whose values are explained better by another unit than by the declared one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.units import canonical_unit
from twinlab.quality.findings import Finding
from twinlab.quality.unit_faults.evidence import sentence
from twinlab.quality.unit_faults.features import features_of, median_of
from twinlab.quality.unit_faults.hypotheses import Hypothesis, hypotheses
from twinlab.quality.unit_faults.peers import Peers
from twinlab.quality.unit_faults.profiles import Profiles, labelled_table, prepared, profiles_of
from twinlab.quality.unit_faults.scoring import Judge, Spans, Verdict
from twinlab.quality.unit_faults.switches import switch_sample

__all__ = ["Suspect", "UnitFix", "suspect_units"]

Floats = npt.NDArray[np.float64]
Span = tuple[float, float] | npt.NDArray[np.float64]

#: A channel is suspected if its hypotheses together are more probable than that nothing is wrong.
_SUSPECTED: Final = 0.5
#: Least probability of a further hypothesis to be named.
_NAMED: Final = 0.05


@dataclass(frozen=True)
class UnitFix:
    """The right meaning of a channel: a unit and a factor instead of the declared unit, for a time."""

    asset: str
    signal: str
    declared: str
    unit: str
    factor: float = 1.0
    since: np.datetime64 | None = None
    until: np.datetime64 | None = None
    right_signal: str = ""
    """The signal that the values really are, where two columns are swapped."""

    def keys(self) -> dict[str, object]:
        """Return the keys of the mapping's rule that may differ: signal, unit, scale, validity.

        >>> UnitFix("T7", "speed", "km/h", "mph", since=np.datetime64("2026-02-19T10:55")).keys()
        {'signal': 'speed', 'unit': 'mph', 'valid_from': '2026-02-19T10:55:00Z'}
        """
        found: dict[str, object] = {"signal": self.right_signal or self.signal, "unit": self.unit}
        if self.factor != 1.0:
            found["scale"] = self.factor
        for key, instant in (("valid_from", self.since), ("valid_until", self.until)):
            if instant is not None:
                found[key] = f"{np.datetime_as_string(instant.astype('datetime64[s]'))}Z"
        return found


@dataclass(frozen=True)
class Suspect:
    """A channel that seems to write another unit than it is declared to."""

    asset: str
    signal: str
    since: np.datetime64 | None
    """First wrong value, UTC; None if all from the beginning of the data are."""
    until: np.datetime64 | None
    """First right value after it, UTC; None if the last one is wrong."""
    hypothesis: Hypothesis
    confidence: float
    """Probability, 0..1; the hypotheses of a channel and "nothing is wrong" sum up to 1."""
    rank: int
    """1 for the most probable hypothesis of the channel."""
    evidence: str
    """One sentence with numbers."""
    fix: UnitFix

    def finding(self, *, source: str = "", tag: str = "", fix: str = "") -> Finding:
        """Return the suspect as a finding of the kind ``unit``."""
        return Finding(
            "unit",
            source,
            tag,
            self.asset,
            self.signal,
            self.since,
            self.until,
            round(self.confidence, 4),
            self.evidence,
            fix,
        )


def suspect_units(
    data: xr.DataArray,
    *,
    unit: str | None = None,
    declared: str | Mapping[str, str] | None = None,
    sensor_span: Span | None = None,
    expected_span: Span | None = None,
    coupled: xr.DataArray | None = None,
    counter: bool = False,
    peers: bool = True,
) -> list[Suspect]:
    """Return the channels of a signal that seem to write another unit than they are declared to.

    Parameters
    ----------
    data : DataArray with dimensions ``time`` and ``asset``
        Values of assets of one type, in the signal's unit, NaN for missing; lazy or not. At most 400 blocks of 96 samples
        are read of each asset, so that hourly means (``step="1h"``) do as well as raw values, except that a switch is then
        found to the hour.
    unit : str, optional
        Unit of the signal; ``data.attrs["units"]`` by default.
    declared : str or mapping of asset to str, optional
        Unit that the mapping states for the source, of all or of each asset; ``unit`` by default.
    sensor_span, expected_span : (low, high) or float64 [2, asset], optional
        What the sensor can report, and what operation normally shows; NaN for no limit.
    coupled : DataArray, optional
        Another signal of the same quantity, in the same unit, such as the speed from GPS positions for the speed of the
        wheels. Compared instead of the peers, and sharper.
    counter : bool
        The signal is a counter; its rises are compared.
    peers : bool
        Compare the assets with each other. Without it, only spans, ``coupled`` and each asset's own past count.

    Returns
    -------
    list of Suspect
        The most certain channel first; the hypotheses of a channel follow each other. Where two explain the data equally
        well, both are listed, with a confidence below 0.5.

    Raises
    ------
    SchemaError
        If dimensions, coordinates or spans don't fit, or no unit is known.
    UnitError
        If a unit is unknown, or a declared unit measures something else.

    Notes
    -----
    The confidence is a posterior probability. Peers, spans and the asset's own past are compared under "nothing is wrong",
    where odd assets and real changes of level are allowed, and under each hypothesis; see `Peers`, `Spans`.

    >>> time = np.arange("2026-01-01", "2026-01-21", dtype="datetime64[h]").astype("datetime64[ns]")
    >>> rooms = 4.0 + np.sin(np.arange(time.size))[:, None] + np.array([0.0, 0.2, -0.1, 0.1, -0.2])
    >>> rooms[240:, 2] = rooms[240:, 2] * 1.8 + 32.0
    >>> array = xr.DataArray(rooms, coords={"time": time, "asset": list("ABCDE")}, dims=("time", "asset"), name="temperature")
    >>> found = suspect_units(array, unit="degC")
    >>> [(one.asset, one.hypothesis.written, str(one.since)[:13]) for one in found]
    [('C', 'degF', '2026-01-11T00')]
    """
    table = labelled_table(data)
    names = [str(name) for name in table["asset"].to_numpy()]
    signal_unit = _unit(table, unit)
    spans = Spans(_span(sensor_span, len(names), "sensor_span"), _span(expected_span, len(names), "expected_span"))
    stated = _declared(declared, signal_unit, names)
    tests = {one: hypotheses(signal_unit, one) for one in dict.fromkeys(stated)}
    signed = any(hypothesis.shift for tested in tests.values() for hypothesis in tested)
    profiles = profiles_of(table, coupled, counter=counter, signed=signed)
    found: list[tuple[float, list[Suspect]]] = []
    for one, tested in tests.items():
        if not tested or not profiles.quantiles.shape[1]:
            continue
        members = np.flatnonzero([name == one for name in stated])
        judge = _judge(profiles, tested, spans, peers=peers)
        case = _Case(table, profiles, judge, counter, signed)
        for asset, verdicts in zip(members.tolist(), judge.verdicts(members), strict=True):
            total = sum(verdict.probability for verdict in verdicts)
            if total >= _SUSPECTED:
                found.append((total, case.suspects(asset, verdicts)))
    found.sort(key=lambda pair: (-pair[0], pair[1][0].asset))
    return [suspect for _, suspects in found for suspect in suspects]


def _judge(profiles: Profiles, tested: Sequence[Hypothesis], spans: Spans, *, peers: bool) -> Judge:
    features = features_of(profiles, tested)
    anchored = profiles.beside is not None
    seen = median_of(features.seen)
    known = seen if peers or anchored else np.full_like(seen, np.nan)
    against = Peers(known, floor=features.drift(5) / 3.0, width=features.width, anchored=anchored)
    return Judge(tested, features, profiles.quantiles, against, spans)


@dataclass(frozen=True)
class _Case:
    """The channels of one declared unit."""

    table: xr.DataArray
    profiles: Profiles
    judge: Judge
    counter: bool
    signed: bool

    def suspects(self, asset: int, verdicts: Sequence[Verdict]) -> list[Suspect]:
        """Return the suspects of one asset, from its hypotheses."""
        shown = [verdict for verdict in verdicts if verdict.probability >= _NAMED] or list(verdicts[:1])
        return [self._suspect(asset, verdict, rank) for rank, verdict in enumerate(shown, 1)]

    def _suspect(self, asset: int, verdict: Verdict, rank: int) -> Suspect:
        hypothesis = self.judge.tested[verdict.hypothesis]
        since = until = None
        if verdict.period is not None:
            first, stop = verdict.period.first, verdict.period.stop
            series = self.table.isel(asset=[asset])
            near = Nearby(series, self.profiles.edges, hypothesis, counter=self.counter, signed=self.signed)
            since = near.switch(first) if first else None
            until = near.switch(stop, back=True) if stop < self.profiles.quantiles.shape[1] else None
        name, signal = self.profiles.assets[asset], "" if self.table.name is None else str(self.table.name)
        fix = UnitFix(name, signal, hypothesis.declared, hypothesis.written, hypothesis.factor, since, until)
        others = self.judge.peers.members(asset)
        text = sentence(
            self.profiles, asset, verdict, hypothesis, others=others, since=since, until=until, counter=self.counter
        )
        return Suspect(name, signal, since, until, hypothesis, min(1.0, verdict.probability), rank, text, fix)


@dataclass(frozen=True)
class Nearby:
    """Samples of one channel near a switch."""

    series: xr.DataArray
    edges: npt.NDArray[np.int64]
    hypothesis: Hypothesis
    counter: bool
    signed: bool

    def switch(self, block: int, *, back: bool = False) -> np.datetime64:
        """Return the time of the first sample after a switch near the begin of a block."""
        last = len(self.edges) - 1
        low, high = self.edges[max(0, block - 8)], self.edges[min(last, block + 8)]
        near = self.series.sel(time=slice(low.astype("M8[ns]"), (high - 1).astype("M8[ns]"))).compute()
        times = near["time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
        # A counter's total jumps where its unit changes, so that the total is sharper than its rises.
        values = prepared(near, times, counter=False, signed=self.signed)[:, 0]
        start, stop = np.searchsorted(times, self.edges[[max(0, block - 3), min(last, block + 3)]]).tolist()
        at = switch_sample(
            values, self.hypothesis.apply(values), slice(start, stop), back=back, ranges=not self.counter
        )
        return np.datetime64(int(times[at]), "ns")


def _unit(table: xr.DataArray, unit: str | None) -> str:
    given = unit if unit is not None else table.attrs.get("units")
    if given is None:
        msg = f"expected the unit of {table.name!r}, got none; give `unit=`, or set attrs['units']"
        raise SchemaError(msg)
    return canonical_unit(str(given))


def _declared(declared: str | Mapping[str, str] | None, unit: str, names: Sequence[str]) -> list[str]:
    if declared is None or isinstance(declared, str):
        return [unit if declared is None else canonical_unit(declared)] * len(names)
    return [canonical_unit(declared.get(name, unit)) for name in names]


def _span(span: Span | None, assets: int, name: str) -> Floats | None:
    if span is None:
        return None
    limits = np.asarray(span, dtype=np.float64)
    if limits.shape not in ((2,), (2, assets)) or (limits[0] >= limits[1]).any():
        msg = f"expected {name} as (low, high) with low < high, or one column for each of {assets} assets, got {span!r}"
        raise SchemaError(msg)
    return np.broadcast_to(limits.reshape(2, -1), (2, assets))
