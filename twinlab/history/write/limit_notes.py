"""What of the limits by asset doesn't fit the assets that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from twinlab.history.build.event_tables import properties_of
from twinlab.model.basics import is_pattern
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.history.build.mapping_context import Sources
    from twinlab.model.asset_types import AssetType
    from twinlab.model.signal import SpanOfAssets

__all__ = ["limit_notes"]


def limit_notes(sources: Sources, columns: Mapping[str, Sequence[str]], position: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each name that is no asset, and for properties of which the lowest isn't below the highest.

    ``columns`` are the assets with observations, by type.
    """
    for kind_name, kind in sources.model.asset_types.items():
        spans = [
            (f"asset_types.{kind_name}.signals.{name}.{key}", span, signal.unit)
            for name, signal in kind.signals.items()
            for key, span in signal.limits_of_assets.items()
        ]
        if not spans:
            continue
        properties = properties_of(sources.asset_table(kind_name, position))
        assets = list(dict.fromkeys([*columns.get(kind_name, ()), *properties]))
        for path, span, unit in spans:
            for name in span.assets:
                if not is_pattern(name) and name not in assets:
                    yield f"{path}.assets: there is no {kind_name} {name!r} so far{nearest(name, assets)}"
            yield from _reversed(path, kind, span, unit, assets, properties)


def _reversed(  # noqa: PLR0917  (one call)
    path: str,
    kind: AssetType,
    span: SpanOfAssets,
    unit: str,
    assets: Sequence[str],
    properties: Mapping[str, Mapping[str, object]],
) -> Iterator[str]:
    bounds = kind.stated_bounds(span, unit, assets, properties)
    wrong = [place for place in np.flatnonzero(bounds[0] >= bounds[1]).tolist() if span.of(assets[place]) is None]
    if wrong:
        low, high = bounds[:, wrong[0]]
        first, second = span.source or ("", "")
        instead = "no limit" if span.default is None else f"the default {list(span.default)}"
        yield (
            f"{path}.from: {first} isn't below {second} for {len(wrong):,} of {len(assets):,} assets "
            f"(first: {assets[wrong[0]]}, {low:g} and {high:g} {unit}), which have {instead}; correct the properties"
        )
