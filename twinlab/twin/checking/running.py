"""Run the checks of each signal, here or on a Dask cluster, and put what they find together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from twinlab.compute import Handle, pool_of
from twinlab.compute.pool import Call
from twinlab.errors import SchemaError
from twinlab.model.calibration.pieces import Calibration
from twinlab.quality.findings import Finding
from twinlab.twin.checking.channels import Channels, channels_of, properties_of
from twinlab.twin.checking.clock_fixes import ClockChange, ClockFix
from twinlab.twin.checking.comparisons import (
    clock_shift_findings,
    compared_tests,
    drift_findings,
    observed_finding,
    observed_tests,
    test_findings,
    unit_suspects,
)
from twinlab.twin.checking.disagreements import disagreement_findings
from twinlab.twin.checking.fixes import Change, MappingFix
from twinlab.twin.checking.flagged import flag_findings
from twinlab.twin.checking.missing import missing_findings
from twinlab.twin.checking.origins import Origins
from twinlab.twin.checking.quality_report import FoundFault
from twinlab.twin.checking.touched import touched
from twinlab.twin.checking.words import swapped_word_findings

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

    from twinlab.history import HistoryReader
    from twinlab.model.calibration import Calibrations
    from twinlab.model.twinmodel import AssetType
    from twinlab.quality.unit_faults.suspects import Suspect, UnitFix
    from twinlab.twin.checking.channels import Properties
    from twinlab.twin.checking.fixes import RuleFix

__all__ = [
    "Checks",
    "Found",
    "Part",
    "Span",
    "definition_faults",
    "parts_of",
    "run_parts",
    "span_of",
    "with_origins",
]


@dataclass(frozen=True)
class Found:
    """What one task found; picklable."""

    asset_type: str
    findings: tuple[tuple[Finding, RuleFix | ClockFix | Calibration | None], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _SignalTask:
    channels: Channels
    declared: Mapping[str, str]
    # Whether the check has a start, and a stop.
    limited: tuple[bool, bool] = (False, False)
    # Assets whose source states a status of its values.
    with_status: frozenset[str] = frozenset()

    def __call__(self) -> Found:
        flags = [(one, None) for one in flag_findings(self.channels, with_status=self.with_status)]
        flags += [(one, None) for one in missing_findings(self.channels)]
        units = [self._within(one) for one in unit_suspects(self.channels, self.declared)]
        # A channel in another unit from some time on looks like one that drifts, and makes its peers look so.
        odd = {one.asset for one, _ in units}
        clocks = clock_shift_findings(self.channels, excluded=odd)
        drifts = drift_findings(self.channels, excluded=odd)
        return Found(self.channels.asset_type, (*flags, *units, *clocks, *drifts))

    def _within(self, one: Suspect) -> tuple[Finding, UnitFix]:
        """Return a suspect's finding and fix within the span of the check: nobody has looked at what is outside of it."""
        edges = span_of([self.channels])
        since, until = (
            edge if limited and at is None else at
            for at, edge, limited in zip((one.since, one.until), edges, self.limited, strict=True)
        )
        fix = replace(one.fix, since=since, until=until)
        return replace(one.finding(), since=since, until=until), fix


@dataclass(frozen=True)
class _TestTask:
    asset_type: str
    cells: xr.Dataset
    kind: AssetType
    test: str
    properties: Properties

    def __call__(self) -> Found:
        try:
            found = list(test_findings(self.cells, self.kind, [self.test], self.properties))
        except SchemaError as error:
            return Found(self.asset_type, notes=(f"{self.asset_type}: the test {self.test!r} wasn't run: {error}",))
        return Found(self.asset_type, tuple((one, None) for one in found))


@dataclass(frozen=True)
class Span:
    """What is checked of each signal; hashable."""

    start: object = None
    stop: object = None
    assets: tuple[str, ...] | None = None
    calibrations: Calibrations | None = None


@dataclass(frozen=True)
class Part:
    """A part of a check: one test of a signal or of an asset type, or all of a kind."""

    kind: Literal["signal", "compared", "observed", "rows"]
    asset_type: str
    #: Of the signal, or of those of one cadence that are compared.
    signals: tuple[str, ...]
    test: str = ""

    @property
    def place(self) -> str:
        """What errors say of it."""
        return f"{self.asset_type}.{', '.join(self.signals)} ({self.test or self.kind})"


class Checks:
    """Runs parts of a check.

    Parameters
    ----------
    reader : HistoryReader
    span : Span
    channels : sequence of Channels
        Those that are open already; others are opened.
    """

    def __init__(self, reader: HistoryReader, span: Span, channels: Sequence[Channels] = ()) -> None:
        self._reader, self._span = reader, span
        self._channels = {(one.asset_type, one.name): one for one in channels}
        self.origins = Origins(reader)

    def run(self, part: Part) -> Found:
        """Return what a part finds."""
        if part.kind == "compared":
            return self._compared(part)
        channels = self._channel(part.asset_type, part.signals[0])
        within: _Within = {"assets": self._span.assets, "start": self._span.start, "stop": self._span.stop}
        if part.kind == "signal":
            return self._signal(channels)
        if part.kind == "observed":
            return observed(self._reader, channels, **within)
        return from_rows(self._reader, channels, self.origins, **within)

    def _channel(self, asset_type: str, name: str) -> Channels:
        if (asset_type, name) not in self._channels:
            span = self._span
            found = channels_of(
                self._reader,
                asset_types=[asset_type],
                signals=[name],
                start=span.start,
                stop=span.stop,
                calibrations=span.calibrations,
            )
            self._channels[asset_type, name] = found[0]
        return self._channels[asset_type, name]

    def _signal(self, one: Channels) -> Found:
        origins, kind = self.origins, one.asset_type
        declared = {asset: origins.declared(kind, asset, one.name, one.signal.unit) for asset in one.assets}
        limited = self._span.start is not None, self._span.stop is not None
        status = frozenset(asset for asset in one.assets if origins.states_status(kind, asset, one.name))
        return _SignalTask(one, declared if one.signal.states is None else {}, limited, status)()

    def _compared(self, part: Part) -> Found:
        """Run a test that compares signals or assets."""
        kind = self._reader.model.asset_types[part.asset_type]
        cadence = kind.signals[part.signals[0]].cadence
        beside = [name for name, spec in kind.signals.items() if spec.cadence == cadence]
        span = self._span
        cells = self._reader.history(part.asset_type, signals=beside, start=span.start, stop=span.stop)
        # Only the chosen signals name tests; the others are there to be compared with.
        tested = {
            name: spec if name in part.signals else spec.model_copy(update={"tests": {}})
            for name, spec in kind.signals.items()
        }
        chosen = kind.model_copy(update={"signals": tested})
        properties = properties_of(self._reader, part.asset_type)
        return _TestTask(part.asset_type, cells, chosen, part.test, properties)()


class _Within(TypedDict):
    assets: Collection[str] | None
    start: object
    stop: object


def observed(
    reader: HistoryReader, one: Channels, *, assets: Collection[str] | None, start: object, stop: object
) -> Found:
    """Run the tests that judge the exact times of observations; the rows of one asset are read at once."""
    tests = observed_tests(one.kind, one.name)
    findings: list[tuple[Finding, None]] = []
    notes: list[str] = []
    for asset in one.assets if tests else ():
        if assets is not None and asset not in assets:
            continue
        rows = reader.observations(f"{one.asset_type}/{asset}", one.name, start=start, stop=stop)
        for test in tests:
            try:
                finding = observed_finding(rows, one.kind, asset, one.name, test)
            except SchemaError as error:
                notes.append(f"{one.asset_type}.{one.name}: the test {test!r} wasn't run: {error}")
                continue
            findings += [(finding, None)] if finding is not None else []
    return Found(one.asset_type, tuple(findings), tuple(notes))


def from_rows(
    reader: HistoryReader,
    one: Channels,
    origins: Origins,
    *,
    assets: Collection[str] | None,
    start: object,
    stop: object,
) -> Found:
    """Look for sources that disagree, and for swapped words where cells fail or are missing; both are read from the rows."""
    swaps = swapped_word_findings(reader, one, origins, assets=assets, start=start, stop=stop)
    pairs = disagreement_findings(reader, one, origins, assets=assets, start=start, stop=stop)
    return Found(one.asset_type, (*swaps, *pairs))


def parts_of(channels: Sequence[Channels]) -> list[Part]:
    """Return the parts of a check: for each signal what its cells, observations and rows say, and each test that compares."""
    parts = [Part("signal", one.asset_type, (one.name,)) for one in channels]
    for asset_type in dict.fromkeys(one.asset_type for one in channels):
        mine = [one for one in channels if one.asset_type == asset_type]
        by_cadence: dict[str, list[str]] = {}
        for one in mine:
            by_cadence.setdefault(one.signal.cadence, []).append(one.name)
        for names in by_cadence.values():
            tests = compared_tests(mine[0].kind, names)
            parts += [Part("compared", asset_type, tuple(names), test) for test in tests]
    parts += [Part("observed", one.asset_type, (one.name,)) for one in channels if observed_tests(one.kind, one.name)]
    return parts + [Part("rows", one.asset_type, (one.name,)) for one in channels]


def run_parts(
    parts: Sequence[Part], checks: Checks, span: Span, *, client: Client | None, twin: object
) -> Iterator[Found]:
    """Yield what parts find, in their order: one after another here, or those of a cluster as they come."""
    if client is None:
        yield from map(checks.run, parts)
        return
    handle = Handle.of(twin)
    with pool_of(client, handle=handle) as pool:
        shared = pool.share(handle), pool.share(span)
        yield from pool.in_order(Call(_run_part, (*shared, part), part.place) for part in parts)


def _run_part(handle: Handle, span: Span, part: Part) -> Found:
    return Checks(handle.open().reader, span).run(part)


def with_origins(
    found: Sequence[Found],
    reader: HistoryReader,
    origins: Origins,
    *,
    assets: Collection[str] | None,
    files: Mapping[str, tuple[str, str]],
    known: Mapping[tuple[str, str], int],
) -> list[FoundFault]:
    """Return the findings of the chosen assets with source, tag, fix and what they touch, sorted.

    Parameters
    ----------
    files : mapping of source to (name, text)
        The mappings' files.
    known : mapping of (asset type, signal) to number of assets
    """
    kept = [
        (one.asset_type, finding, fix)
        for one in found
        for finding, fix in one.findings
        if assets is None or finding.asset in assets
    ]
    faults = [_with_origin(*one, origins, files, known) for one in kept]
    reached = touched(reader, [(one.asset_type, one.finding) for one in faults])
    whole = (replace(one, touches=each) for one, each in zip(faults, reached, strict=True))
    return sorted(whole, key=lambda one: one.order)


def _with_origin(  # noqa: PLR0917
    asset_type: str,
    finding: Finding,
    fix: RuleFix | ClockFix | Calibration | None,
    origins: Origins,
    files: Mapping[str, tuple[str, str]],
    known: Mapping[tuple[str, str], int],
) -> FoundFault:
    origin = origins.of(asset_type, finding.asset, finding.signal, finding.since, source=finding.source)
    if origin is not None:
        finding = replace(finding, source=origin.source, tag=origin.tag)
    if isinstance(fix, Calibration):
        return FoundFault(finding, asset_type, calibration=fix)
    if origin is None or fix is None or origin.source not in files:
        return FoundFault(finding, asset_type)
    name, text = files[origin.source]
    change: Change
    if isinstance(fix, ClockFix):
        change = ClockChange(origin, fix, name, origins.clocks(origin))
    else:
        change = MappingFix(origin, asset_type, fix, name, only_asset=known.get((asset_type, finding.signal)) == 1)
    line = change.line(text)
    return FoundFault(replace(finding, fix=line), asset_type, change=change if line else None)


def definition_faults(sentences: Iterable[str]) -> Iterator[FoundFault]:
    """Yield a finding for each definition in the twin's folder that isn't applied."""
    for text in sentences:
        yield FoundFault(Finding("definition", confidence=1.0, evidence=text))


def span_of(channels: Sequence[Channels]) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    """Return the begin of the first and the end of the last cell of some signals."""
    if not channels:
        return None, None
    times = [(one.cells["time"].to_numpy()[[0, -1]], np.timedelta64(one.signal.cadence_ns, "ns")) for one in channels]
    return min(edges[0] for edges, _ in times), max(edges[1] + cadence for edges, cadence in times)
