"""A group of signals that are built together: those of one asset type and cadence; and which of its cells to build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Series
from twinlab.history.layout.grid import Axis, Frontier, Group, floor_midnight
from twinlab.history.layout.spans import Span, union
from twinlab.model.twinmodel import Signal, TwinModel
from twinlab.quality.cells import margins

__all__ = ["GroupPlan", "GroupSpec"]


@dataclass(frozen=True)
class GroupSpec:
    """The signals of one asset type and cadence, and the assets in storage order."""

    group: Group
    origin_ns: int
    signals: Mapping[str, Signal]
    assets: tuple[str, ...]
    # Limits of the assets, of signals whose spans depend on the asset: float64 [4, asset], see `AssetType.limits`.
    limits: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict, compare=False)
    # Column of the first asset, and the group with all columns, of a part of a group; see `part`.
    first_asset: int = 0
    whole: GroupSpec | None = field(default=None, repr=False, compare=False)

    def part(self, first: int, stop: int) -> GroupSpec:
        """Return the columns ``first .. stop - 1`` as a group of their own."""
        limits = {name: found[:, first:stop] for name, found in self.limits.items()}
        return replace(self, assets=self.assets[first:stop], limits=limits, first_asset=first, whole=self)

    @cached_property
    def axis(self) -> Axis:
        """The time axis."""
        return Axis(floor_midnight(self.origin_ns), self.group.cadence_ns)

    @cached_property
    def places(self) -> dict[str, int]:
        """Asset -> column."""
        return {asset: place for place, asset in enumerate(self.assets)}

    @cached_property
    def series(self) -> frozenset[Series]:
        """The series of all columns."""
        return frozenset(Series(self.group.asset_type, asset, name) for asset in self.assets for name in self.signals)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Signal -> number."""
        return {name: number for number, name in enumerate(self.signals)}

    @cached_property
    def margins(self) -> tuple[int, int]:
        """The widest margins of all signals: cells before and cells after."""
        found = [margins(signal) for signal in self.signals.values()]
        return max(m[0] for m in found), max(m[1] for m in found)

    @cached_property
    def _numbered(self) -> dict[int, tuple[object, npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
        return {}

    def numbered(self, series: tuple[Series, ...]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return the signal's number and the asset's column of each series; -1 for series of other groups."""
        if self.whole is not None:
            signal, column = self.whole.numbered(series)
            place = column - self.first_asset
            outside = (place < 0) | (place >= len(self.assets))
            return np.where(outside, -1, signal).astype(np.int32), np.where(outside, -1, place).astype(np.int32)
        found = self._numbered.get(id(series))
        if found is not None and found[0] is series:
            return found[1], found[2]
        kind, numbers, places = self.group.asset_type, self.numbers, self.places
        pairs = [
            (numbers.get(one.signal, -1), places.get(one.asset, -1)) if one.asset_type == kind else (-1, -1)
            for one in series
        ]
        signal, asset = np.array(pairs or [(-1, -1)], dtype=np.int32).T.copy()
        signal[asset < 0] = -1
        asset[signal < 0] = -1
        # A writer keeps its groups for months, and each segment of a ledger has series of its own.
        if len(self._numbered) > 64:
            self._numbered.clear()
        self._numbered[id(series)] = (series, signal, asset)
        return signal, asset

    def of_signals(self, names: Iterable[str]) -> GroupSpec:
        """Return the same group with some of its signals."""
        wanted = set(names)
        signals = {name: signal for name, signal in self.signals.items() if name in wanted}
        limits = {name: found for name, found in self.limits.items() if name in wanted}
        return replace(self, signals=signals, limits=limits)

    @classmethod
    def all_of(
        cls,
        model: TwinModel,
        assets: Mapping[str, Sequence[str]],
        properties: Mapping[str, Mapping[str, Mapping[str, object]]],
    ) -> list[GroupSpec]:
        """Return the groups of a model.

        ``assets`` are the ids of each type in storage order, ``properties`` the properties of its assets, of the types
        whose limits depend on them: type -> asset -> property -> value.
        """
        out = []
        for name, kind in model.asset_types.items():
            by_group: dict[Group, dict[str, Signal]] = {}
            for signal_name, signal in kind.signals.items():
                by_group.setdefault(Group(name, signal.cadence), {})[signal_name] = signal
            ids = tuple(assets.get(name, ()))
            limits = {
                signal_name: kind.limits(signal_name, ids, properties.get(name, {}))
                for signal_name, signal in kind.signals.items()
                if signal.limits_of_assets
            }
            out += [
                cls(group, model.origin_ns, signals, ids, {one: limits[one] for one in signals if one in limits})
                for group, signals in by_group.items()
            ]
        return out


@dataclass(frozen=True)
class GroupPlan:
    """The cells of a group whose values are computed (``fresh``), and those that are flagged and written (``write``).

    ``spec`` and ``frontier`` may be of a part of the group's assets.
    """

    spec: GroupSpec
    fresh: list[Span]
    write: list[Span]
    frontier: Frontier
    # Cells without values that aren't built: only their flags are stated.
    vacant: list[Span] = field(default_factory=list)
    # The columns with late claims, of one span of cells; their plans come first. None if the plan isn't of late claims.
    late: tuple[int, ...] = ()
    # Number of the segment of time (see `cuts`) whose position the cells are of; None: that of the claims.
    segment: int | None = None

    @property
    def cells(self) -> int:
        """Number of values to write."""
        return sum(high - low for low, high in self.write) * len(self.spec.assets) * len(self.spec.signals)

    @property
    def covered(self) -> list[Span]:
        """All cells whose flags are written or stated."""
        return union(self.write, self.vacant)

    @property
    def ends(self) -> Span:
        """The first of these cells, and the one after the last."""
        covered = self.covered
        return covered[0][0], covered[-1][1]
