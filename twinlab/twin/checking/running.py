"""Run the checks of each signal, here or on a Dask cluster, and put what they find together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import SchemaError
from twinlab.model.calibration.pieces import Calibration
from twinlab.quality.findings import Finding
from twinlab.twin.checking.channels import Channels, properties_of
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

    from twinlab.history import HistoryReader
    from twinlab.model.twinmodel import AssetType
    from twinlab.quality.unit_faults.suspects import Suspect, UnitFix
    from twinlab.twin.checking.channels import Properties
    from twinlab.twin.checking.fixes import RuleFix

__all__ = [
    "Found",
    "definition_faults",
    "from_rows",
    "observed",
    "run_tasks",
    "signal_tasks",
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


Task = Callable[[], Found]


def observed(
    reader: HistoryReader,
    channels: Sequence[Channels],
    show: Callable[..., None],
    *,
    assets: Collection[str] | None,
    start: object,
    stop: object,
) -> list[Found]:
    """Run the tests that judge the exact times of observations; the rows of one asset are read at once."""
    wanted = [(one, asset) for one in channels for asset in one.assets if assets is None or asset in assets]
    wanted = [(one, asset) for one, asset in wanted if observed_tests(one.kind, one.name)]
    found: list[Found] = []
    for number, (one, asset) in enumerate(wanted, 1):
        rows = reader.observations(f"{one.asset_type}/{asset}", one.name, start=start, stop=stop)
        for test in observed_tests(one.kind, one.name):
            try:
                finding = observed_finding(rows, one.kind, asset, one.name, test)
            except SchemaError as error:
                note = f"{one.asset_type}.{one.name}: the test {test!r} wasn't run: {error}"
                found.append(Found(one.asset_type, notes=(note,)))
                continue
            found += [Found(one.asset_type, ((finding, None),))] if finding is not None else []
        show(number, len(wanted))
    return found


def from_rows(
    reader: HistoryReader,
    channels: Sequence[Channels],
    origins: Origins,
    show: Callable[..., None],
    *,
    assets: Collection[str] | None,
    start: object,
    stop: object,
) -> list[Found]:
    """Look for sources that disagree, and for swapped words where cells fail or are missing; both are read from the rows."""
    found: list[Found] = []
    for number, one in enumerate(channels, 1):
        swaps = swapped_word_findings(reader, one, origins, assets=assets, start=start, stop=stop)
        pairs = disagreement_findings(reader, one, origins, assets=assets, start=start, stop=stop)
        found.append(Found(one.asset_type, (*swaps, *pairs)))
        show(number, len(channels))
    return found


def signal_tasks(
    reader: HistoryReader, channels: Sequence[Channels], origins: Origins, *, start: object, stop: object
) -> list[Task]:
    """Return a task for each signal, and one for each test that compares signals or assets."""
    tasks: list[Task] = []
    for one in channels:
        declared = {asset: origins.declared(one.asset_type, asset, one.name, one.signal.unit) for asset in one.assets}
        limited = start is not None, stop is not None
        status = frozenset(asset for asset in one.assets if origins.states_status(one.asset_type, asset, one.name))
        tasks.append(_SignalTask(one, declared if one.signal.states is None else {}, limited, status))
    for asset_type in dict.fromkeys(one.asset_type for one in channels):
        kind = reader.model.asset_types[asset_type]
        wanted = [one.name for one in channels if one.asset_type == asset_type]
        by_cadence: dict[str, list[str]] = {}
        for name in wanted:
            by_cadence.setdefault(kind.signals[name].cadence, []).append(name)
        for cadence, names in by_cadence.items():
            tests = compared_tests(kind, names)
            beside = [name for name, spec in kind.signals.items() if spec.cadence == cadence]
            if tests:
                cells = reader.history(asset_type, signals=beside, start=start, stop=stop)
                properties = properties_of(reader, asset_type)
                # Only the chosen signals name tests; the others are there to be compared with.
                tested = {
                    n: spec if n in names else spec.model_copy(update={"tests": {}}) for n, spec in kind.signals.items()
                }
                part = kind.model_copy(update={"signals": tested})
                tasks += [_TestTask(asset_type, cells, part, test, properties) for test in tests]
    return tasks


def _call(task: Task) -> Found:
    return task()


def run_tasks(tasks: Sequence[Task], client: Any, show: Callable[..., None]) -> list[Found]:  # noqa: ANN401  (a distributed.Client)
    """Run tasks one after another, or on a cluster; in their order."""
    found: list[Found] = []
    if client is None:
        running: Iterable[Found] = map(_call, tasks)
    else:
        running = (future.result() for future in client.map(_call, list(tasks), pure=False))
    for one in running:
        found.append(one)
        show(len(found), len(tasks))
    return found


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
