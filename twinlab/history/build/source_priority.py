"""Cells that several sources report: the source that is chosen, and the value of each source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from twinlab.harmonise.claims import Series
from twinlab.history.build.build import build_values
from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.report import Tally
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.build.update import frontier_of
from twinlab.history.index.reach import NEVER
from twinlab.history.layout.encoding import decode
from twinlab.history.layout.grid import Group
from twinlab.history.layout.spans import Span, clip, pieces
from twinlab.model.twinmodel import Signal

__all__ = ["chosen_sources", "values_by_source"]

#: Cells (time x asset) resolved at once.
_PIECE = 1_000_000


class _Resolved(LedgerClaims):
    """The same claims; all cells are built by `resolve`, which distinguishes sources."""

    def simple(self, spec: GroupSpec, window: Span) -> frozenset[str]:
        """Return an empty set."""
        del spec, window
        return frozenset()


def chosen_sources(  # noqa: PLR0917  (one call)
    sources: Sources,
    position: Mapping[str, int],
    series: tuple[str, str],
    signal: Signal,
    assets: Sequence[str],
    span: tuple[int | None, int | None],
) -> xr.DataArray:
    """Return the chosen source's name for each cell, dims ``time, asset`` (assets as given), from the ledger's rows.

    Parameters
    ----------
    series : (asset type, signal)
    span : (int, int)
        Event times [start, stop), ns UTC; None is unbounded.
    """
    _, name = series
    spec, window = _window(sources, position, series, signal, assets, span)
    claims = _Resolved(sources.views, position)
    names = np.array([*sorted(sources.views), ""], dtype=object)
    parts = [np.full((0, len(assets)), "", dtype=object)]
    for piece in pieces([window], longest=max(1, _PIECE // max(1, len(assets)))):
        chosen = build_values(spec, piece, claims, Tally()).chosen[name]
        parts.append(names[chosen])
    coords = {"time": spec.axis.times(*window), "asset": np.array(list(assets), dtype=object)}
    return xr.DataArray(np.concatenate(parts), dims=("time", "asset"), coords=coords, name=f"{name}_source")


def values_by_source(  # noqa: PLR0917  (one call)
    sources: Sources,
    position: Mapping[str, int],
    series: tuple[str, str],
    signal: Signal,
    assets: Sequence[str],
    span: tuple[int | None, int | None],
) -> Iterator[xr.Dataset]:
    """Yield what each source says of the cells of those assets that several report, a piece of time after another.

    Parameters
    ----------
    series, span
        As of `chosen_sources`.

    Yields
    ------
    Dataset
        ``value`` (float64; dims ``source, time, asset``; NaN where a source has no claim) and ``chosen`` (the name of the
        source whose value is the cell's, "" for none; dims ``time, asset``).
    """
    asset_type, name = series
    reporting = {
        asset: [n for n, view in sorted(sources.views.items()) if Series(asset_type, asset, name) in view.index.series]
        for asset in assets
    }
    contested = [asset for asset, names in reporting.items() if len(names) > 1]
    if not contested:
        return
    spec, window = _window(sources, position, series, signal, contested, span)
    names = sorted({source for asset in contested for source in reporting[asset]})
    alone = {source: _Resolved({source: sources.views[source]}, position) for source in names}
    together = _Resolved({source: sources.views[source] for source in names}, position)
    labels = np.array([*names, ""], dtype=object)
    for piece in pieces([window], longest=max(1, _PIECE // len(contested))):
        values = [decode(build_values(spec, piece, alone[source], Tally()).ints[name], signal) for source in names]
        chosen = labels[build_values(spec, piece, together, Tally()).chosen[name]]
        coords = {"source": names, "time": spec.axis.times(*piece), "asset": contested}
        data = {"value": (("source", "time", "asset"), np.stack(values)), "chosen": (("time", "asset"), chosen)}
        yield xr.Dataset(data, coords)


def _window(  # noqa: PLR0917
    sources: Sources,
    position: Mapping[str, int],
    series: tuple[str, str],
    signal: Signal,
    assets: Sequence[str],
    span: tuple[int | None, int | None],
) -> tuple[GroupSpec, Span]:
    """Return the cells of some assets, and those of them in a span that may have values."""
    asset_type, name = series
    spec = GroupSpec(Group(asset_type, signal.cadence), sources.model.origin_ns, {name: signal}, tuple(assets))
    frontier = frontier_of(spec, sources.marks(position).values())
    known = (0, 0)
    if assets and frontier.known_from.min() < NEVER:
        known = (max(0, int(frontier.known_from.min())), int(frontier.passed.max()) + 1)
    low = known[0] if span[0] is None else spec.axis.cell_ceil(span[0])
    high = known[1] if span[1] is None else spec.axis.cell_ceil(span[1])
    return spec, next(iter(clip([(low, high)], known)), (known[0], known[0]))
