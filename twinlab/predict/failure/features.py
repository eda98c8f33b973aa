"""Features of rows: levels and slopes of deviations over some numbers of rows, and how long ago the asset was repaired or first seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from twinlab.predict.failure.deviations import deviations
from twinlab.predict.failure.index import WearIndex, index_features, index_names
from twinlab.predict.failure.indicators import indicator_values
from twinlab.predict.failure.settings import FailureSettings
from twinlab.predict.protocol.state import State

__all__ = ["INDEX", "Rows", "feature_names", "features_of", "groups_of", "rows_of"]

Floats = NDArray[np.float64]
#: Slopes need so many rows.
_SLOPE = 3
AGE = "rows observed"
INDEX = "all indicators together"


@dataclass(frozen=True)
class Rows:
    """Rows of a state.

    Parameters
    ----------
    issued : array (row,) of datetime64
        Instants at which each row is known.
    values : array (row, asset, indicator)
        Indicators.
    deviations : array (row, asset, indicator)
        Their differences to what is usual.
    features : array (row, asset, feature)
        Without those of wear indexes.
    """

    issued: NDArray[np.datetime64]
    values: Floats
    deviations: Floats
    features: Floats

    def with_index(self, index: WearIndex, spans: Sequence[int]) -> Floats:
        """Return all features (row, asset, feature), in the order of `feature_names`."""
        if not spans:
            return self.features
        series = index.series(self.values, self.deviations)
        return np.concatenate([self.features, index_features(series, spans)], axis=2)

    def newest(self, count: int) -> Rows:
        """Return the newest rows."""
        return Rows(self.issued[-count:], self.values[-count:], self.deviations[-count:], self.features[-count:])


def feature_names(settings: FailureSettings) -> tuple[list[str], list[str]]:
    """Return the names of the features, and the indicator that each is of: empty of the age, `INDEX` of a wear index."""
    names, of = [], []
    for one in settings.indicators:
        for span in settings.spans:
            names.append(f"{one.name}, level over {span}")
            of.append(one.name)
        for span in settings.spans:
            if span >= _SLOPE:
                names.append(f"{one.name}, slope over {span}")
                of.append(one.name)
    more = index_names(settings.index_spans)
    return [*names, AGE, *more], [*of, "", *[INDEX] * len(more)]


def rows_of(state: State, settings: FailureSettings, *, count: int) -> Rows:
    """Return the last ``count`` rows that a state knows, with their features."""
    bounds = settings.bounds(state.issue_time, state.latency, count)
    values = indicator_values(state.history, settings.indicators, bounds)
    found = deviations(values, of=settings.usual, rows=settings.usual_rows, groups=groups_of(state, settings))
    return Rows(
        bounds[1:] + state.latency,
        values,
        found,
        features_of(values, found, settings.spans, most=count_limit(settings)),
    )


def count_limit(settings: FailureSettings) -> int:
    """Return the number of rows beyond which the age isn't counted: the window has no more."""
    return settings.window_rows if settings.usual == "window" else np.iinfo(np.int32).max


def features_of(values: Floats, found: Floats, spans: Sequence[int], *, most: int) -> Floats:
    """Return features (row, asset, feature) of indicators and their deviations.

    Levels are means of the last rows; slopes the mean of the newer half of them less that of the older half, per row.
    """
    parts: list[Floats] = []
    for place in range(found.shape[2]):
        one = found[:, :, place]
        parts += [_mean_of_last(one, span) for span in spans]
        for span in spans:
            if span >= _SLOPE:
                half = span // 2
                older = np.roll(_mean_of_last(one, half), span - half, axis=0)
                older[: span - half] = np.nan
                parts.append((_mean_of_last(one, half) - older) / (span - half))
    known = ~np.isnan(values).all(axis=2)
    age = np.minimum(np.cumsum(known, axis=0), most).astype(float)
    return np.stack([*parts, age], axis=2)


def _mean_of_last(values: Floats, span: int) -> Floats:
    """Return the mean of the values of the last ``span`` rows (row, asset); each window is summed on its own: what came before it doesn't matter."""
    padded = np.concatenate([np.full((span - 1, values.shape[1]), np.nan), values])
    windows = sliding_window_view(padded, span, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(windows, axis=2), float)


def groups_of(state: State, settings: FailureSettings) -> NDArray[np.intp] | None:
    """Return the group of peers of each asset; None if assets have no peers."""
    if not settings.peers:
        return None
    if settings.group is None:
        return np.zeros(len(state.asset_ids), np.intp)
    labels = state.assets[settings.asset_type].reindex(state.asset_ids)[settings.group]
    return np.asarray(labels.astype(str).astype("category").cat.codes, np.intp)
