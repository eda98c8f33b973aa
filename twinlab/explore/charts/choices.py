"""Asset types, signals and assets of a twin that can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import AssetType

__all__ = ["Choices", "asset_labels", "readable_name"]


class Choices:
    """Asset types, signals and assets that can be drawn; each type is read once.

    Assets without observations (the destinations of flights, known from tables only) are left out, and so are types of
    which no asset has observations.
    """

    def __init__(self, twin: TwinReader) -> None:
        self._twin = twin
        self._labels = {kind: _observed(twin, kind) for kind, spec in twin.model.asset_types.items() if spec.signals}

    def kinds(self) -> dict[str, str]:
        """Return label -> asset type."""
        return {_kind(name, self._spec(name)): name for name, assets in self._labels.items() if assets}

    def signals(self, asset_type: str) -> dict[str, str]:
        """Return label -> signal; positions come last, since maps show them."""
        kind = self._spec(asset_type)
        ordered = sorted(kind.signals, key=lambda name: name in (kind.position or ()))
        return {kind.signals[name].title or readable_name(name): name for name in ordered}

    def assets(self, asset_type: str) -> dict[str, str]:
        """Return label -> asset, in natural order of the assets; empty for a type without observations."""
        return {label: asset for asset, label in self._labels.get(asset_type, {}).items()}

    def first(self, asset_type: str) -> list[str]:
        """Return the default asset; a single one shows its band and flags most clearly."""
        return list(self.assets(asset_type).values())[:1]

    def _spec(self, asset_type: str) -> AssetType:
        return self._twin.model.asset_types[asset_type]


def _kind(name: str, spec: AssetType) -> str:
    return spec.title or readable_name(name)


def _observed(twin: TwinReader, asset_type: str) -> dict[str, str]:
    """Return asset -> label of the assets with observations."""
    signal = next(iter(twin.model.asset_types[asset_type].signals))
    # Only the asset axis is read: from the coarsest step, and of one signal, since cadences may differ.
    step = next(reversed(twin.steps(asset_type, signal)), None)
    ids = [str(a) for a in twin.history(asset_type, signals=[signal], step=step)["asset"].values]
    labels = asset_labels(twin, asset_type) if ids else {}
    return {asset: labels.get(asset, asset) for asset in ids}


def asset_labels(twin: TwinReader, asset_type: str) -> dict[str, str]:
    """Return asset -> display name with the id in brackets; the id alone without a name."""
    frame = twin.assets(asset_type)
    ids = [str(i) for i in frame.index]
    prop = twin.model.asset_types[asset_type].label
    if prop is None or prop not in frame:
        return {i: i for i in ids}
    names = ["" if pd.isna(n) else str(n) for n in frame[prop]]
    return {i: f"{n} ({i})" if n and n != i else i for i, n in zip(ids, names, strict=True)}


def readable_name(name: str) -> str:
    """Return a name of the model as text.

    >>> readable_name("wind_speed")
    'wind speed'
    """
    return name.replace("_", " ")
