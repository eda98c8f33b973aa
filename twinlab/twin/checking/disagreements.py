"""Findings of two sources that disagree about one signal of an asset, beyond the resolution of its values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from twinlab.history.build.source_priority import values_by_source
from twinlab.history.read.datasets import instant_ns
from twinlab.quality.findings import Finding
from twinlab.quality.unit_faults.hypotheses import hypotheses
from twinlab.quality.unit_faults.suspects import UnitFix
from twinlab.twin.checking.fixes import KeyFix
from twinlab.twin.checking.report_lines import percent_text

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.history import HistoryReader
    from twinlab.quality.unit_faults.hypotheses import Hypothesis
    from twinlab.twin.checking.channels import Channels
    from twinlab.twin.checking.fixes import RuleFix
    from twinlab.twin.checking.origins import Origins

__all__ = ["disagreement_findings"]

Floats = npt.NDArray[np.float64]

#: Values of a pair of sources that are kept to compare them.
_SAMPLE: Final = 20_000
_NEVER: Final = np.datetime64("NaT", "ns")
#: Another unit explains a disagreement if what it leaves is at most so many resolutions, or this share of the range.
_LEFT: Final = (3.0, 0.1)


@dataclass
class _Pair:
    """What two sources say of one asset, in the cells that both report."""

    both: int = 0
    differing: int = 0
    first: np.datetime64 = _NEVER
    last: np.datetime64 = _NEVER
    # How often the first and the second source is the chosen one where they differ.
    chosen: list[int] = field(default_factory=lambda: [0, 0])
    # Values of both [source, n] where they differ: some of them.
    values: list[Floats] = field(default_factory=list)

    def add(
        self,
        values: Floats,
        chosen: npt.NDArray[np.object_],
        times: npt.NDArray[np.datetime64],
        pair: tuple[str, str],
        *,
        beyond: float,
    ) -> None:
        """Add a piece of cells; values [source, time] differ if they do so by more than ``beyond``."""
        gap = np.abs(values[0] - values[1])
        self.both += int(np.isfinite(gap).sum())
        at = np.flatnonzero(gap > beyond)
        if not at.size:
            return
        self.first = times[at[0]] if np.isnat(self.first) else self.first
        self.last = times[at[-1]]
        self.differing += at.size
        for place, name in enumerate(pair):
            self.chosen[place] += int((chosen[at] == name).sum())
        if sum(one.shape[1] for one in self.values) < _SAMPLE:
            self.values.append(values[:, at[:: max(1, at.size // _SAMPLE)]])

    @property
    def sample(self) -> Floats:
        """Values of both sources where they differ, [source, n]."""
        return np.concatenate(self.values, axis=1)


def disagreement_findings(
    reader: HistoryReader,
    channels: Channels,
    origins: Origins,
    *,
    assets: Collection[str] | None = None,
    start: object = None,
    stop: object = None,
) -> Iterator[tuple[Finding, RuleFix | None]]:
    """Yield a finding of the kind "disagreement" for each asset and pair of sources, with a fix where there is one.

    Cells that both report differ if they do so by more than the signal's resolution. If the values of one source agree with
    the other's when they are read in another unit, that unit is the fix. Otherwise it is a priority: for the source that
    fewer limits of the signal contradict or, if both have the same, for the one that is chosen most often now, so that the
    cells don't take turns. The finding is about the source whose rule the fix changes.
    """
    pairs = _pairs(reader, channels, assets=assets, start=start, stop=stop)
    end = channels.cells["time"].to_numpy()[-1].astype("datetime64[ns]")
    for (asset, names), pair in sorted(pairs.items()):
        if not pair.differing:
            continue
        rules = [origins.of(channels.asset_type, asset, channels.name, pair.first, source=name) for name in names]
        priorities = [one.rule.priority if one is not None else None for one in rules]
        preferred = int(pair.chosen[1] > pair.chosen[0])
        until = (
            None if pair.last + channels.window >= end else pair.last + np.timedelta64(channels.signal.cadence_ns, "ns")
        )
        texts = [_sizes(channels, pair, names), _preference(names, preferred, priorities, pair)]
        about, fix, why = _fix(
            channels,
            asset,
            names,
            pair,
            origins,
            preferred=preferred,
            priorities=priorities,
            edges=(None if pair.differing == pair.both else pair.first, until),
        )
        texts += [why] if why else []
        yield (
            Finding(
                "disagreement",
                names[about],
                "",
                asset,
                channels.name,
                pair.first,
                until,
                _confidence(pair),
                "; ".join(texts),
            ),
            fix,
        )


def _pairs(
    reader: HistoryReader, channels: Channels, *, assets: Collection[str] | None, start: object, stop: object
) -> dict[tuple[str, tuple[str, str]], _Pair]:
    pin = reader.pinned()
    pin.sources.prepare(pin.position)
    wanted = [one for one in channels.assets if assets is None or one in assets]
    span = None if start is None else instant_ns(start), None if stop is None else instant_ns(stop)
    signal = channels.signal
    # States are whole numbers.
    beyond = (signal.resolution or 0.5) * (1 + 1e-9)
    found: dict[tuple[str, tuple[str, str]], _Pair] = {}
    pieces = values_by_source(pin.sources, pin.position, (channels.asset_type, channels.name), signal, wanted, span)
    for piece in pieces:
        _add(found, piece, beyond)
    return found


def _add(found: dict[tuple[str, tuple[str, str]], _Pair], piece: xr.Dataset, beyond: float) -> None:
    values, chosen = piece["value"].to_numpy(), piece["chosen"].to_numpy()
    times = piece["time"].to_numpy().astype("datetime64[ns]")
    names = piece["source"].to_numpy().tolist()
    present = np.isfinite(values).any(axis=1)
    for place, asset in enumerate(piece["asset"].to_numpy().tolist()):
        for first, second in combinations(np.flatnonzero(present[:, place]).tolist(), 2):
            pair = names[first], names[second]
            both = values[[first, second], :, place]
            found.setdefault((asset, pair), _Pair()).add(both, chosen[:, place], times, pair, beyond=beyond)


def _confidence(pair: _Pair) -> float:
    """Return how sure it is that one of them is wrong: a single cell may be a value that came late."""
    return float(np.clip(0.5 + pair.differing / pair.both, 0.5, 0.99))


def _sizes(channels: Channels, pair: _Pair, names: tuple[str, str]) -> str:
    share = percent_text(pair.differing / pair.both)
    first, second = names
    text = f"{first} and {second} differ in {pair.differing:,} of {pair.both:,} cells that both report ({share})"
    if channels.signal.states is not None:
        return text
    unit = "" if channels.signal.unit == "1" else f" {channels.signal.unit}"
    gap = pair.sample[0] - pair.sample[1]
    return f"{text}, by {np.median(np.abs(gap)):.4g}{unit} in the median ({first} reads {np.median(gap):+.4g}{unit}) and {np.abs(gap).max():.4g}{unit} at most"


def _preference(names: tuple[str, str], preferred: int, priorities: list[int | None], pair: _Pair) -> str:
    name, other = names[preferred], names[1 - preferred]
    mine, its = priorities[preferred], priorities[1 - preferred]
    if mine is not None and its is not None and mine != its:
        return f"{name} is preferred: its priority is {mine}, that of {other} {its}"
    share = percent_text(pair.chosen[preferred] / max(1, sum(pair.chosen)))
    return f"neither is preferred by the mappings: the latest observation in each cell wins, {share} of them of {name}"


def _fix(
    channels: Channels,
    asset: str,
    names: tuple[str, str],
    pair: _Pair,
    origins: Origins,
    *,
    preferred: int,
    priorities: list[int | None],
    edges: tuple[np.datetime64 | None, np.datetime64 | None],
) -> tuple[int, RuleFix | None, str]:
    """Return which of the sources a fix is about, the fix, and why."""
    signal = channels.signal
    if signal.states is None:
        units = [
            origins.declared(channels.asset_type, asset, channels.name, signal.unit, source=name) for name in names
        ]
        explained = _other_unit(pair.sample, signal.unit, units, signal.resolution or 0.0)
        if explained is not None:
            at, hypothesis = explained
            fix = UnitFix(asset, channels.name, hypothesis.declared, hypothesis.written, hypothesis.factor, *edges)
            return at, fix, f"they agree if {names[at]} is {hypothesis.text}"
    wrong = _outside(channels, asset, pair.sample)
    better = preferred
    why = ""
    if abs(wrong[0] - wrong[1]) > 0.1:
        better = int(wrong[1] < wrong[0])
        why = f"{percent_text(float(wrong[1 - better]))} of the values of {names[1 - better]} are outside the limits of the signal, {percent_text(float(wrong[better]))} of {names[better]}"
    mine, its = priorities[better], priorities[1 - better]
    if mine is None or its is None or mine > its:
        return 1 - preferred, None, why
    return better, KeyFix(asset, "priority", its + 1), why


def _other_unit(sample: Floats, unit: str, declared: list[str], resolution: float) -> tuple[int, Hypothesis] | None:
    """Return the one source and unit with which it agrees with the other; None if there are several, or none."""
    fitting: list[tuple[float, int, Hypothesis]] = []
    for at in (0, 1):
        for hypothesis in hypotheses(unit, declared[at]):
            other = sample[1 - at]
            left = float(np.median(np.abs(hypothesis.apply(sample[at]) - other)))
            low, high = np.quantile(other, [0.1, 0.9])
            if left <= max(_LEFT[0] * resolution, _LEFT[1] * (high - low)):
                fitting.append((left, at, hypothesis))
    fitting.sort(key=lambda one: one[0])
    if not fitting or (len(fitting) > 1 and fitting[1][0] < 3 * fitting[0][0] + 1e-12):
        return None
    return fitting[0][1:]


def _outside(channels: Channels, asset: str, sample: Floats) -> tuple[float, float]:
    """Return the share of each source's values that the limits of the asset contradict."""
    low, high, suspect_low, suspect_high = channels.kind.limits(channels.name, [asset], channels.properties)[:, 0]
    wrong = (sample < max(low, suspect_low)) | (sample > min(high, suspect_high))
    first, second = wrong.mean(axis=1).tolist()
    return first, second
