"""What drives the risk of an asset, in words: the indicators with the largest effects, and in which direction they deviate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.failure.features import INDEX
from twinlab.predict.failure.settings import FailureSettings

__all__ = ["by_indicator", "driver_texts"]

Floats = NDArray[np.float64]
#: Effects that are named: how many, and from which change of the odds on (a tenth more).
_MOST: Final = 3
_LEAST: Final = float(np.log(1.1))


def by_indicator(contributions: Floats, of: Sequence[str]) -> tuple[list[str], Floats]:
    """Return the sums of contributions (case, feature) of each indicator, in order of their first feature.

    >>> by_indicator(np.array([[1.0, 2.0, 4.0]]), ["a", "b", "a"])[1]
    array([[5., 2.]])
    """
    names = list(dict.fromkeys(of))
    sums = [contributions[:, [one == name for one in of]].sum(axis=1) for name in names]
    return names, np.stack(sums, axis=1)


def driver_texts(
    contributions: Floats, of: Sequence[str], levels: Floats, spread: Floats, settings: FailureSettings
) -> list[str]:
    """Return the drivers of each case, such as ``"current while compressor is on 4.1 times its usual spread above usual (odds × 6)"``.

    Parameters
    ----------
    contributions : array (case, feature)
        To the log odds.
    of : sequence of str
        Indicator of each feature, see `feature_names`.
    levels : array (case, indicator)
        Deviation over the middle one of the spans.
    spread : array (indicator,)
        Typical size of a deviation.
    settings : FailureSettings
    """
    names, effects = by_indicator(contributions, of)
    indicators = [one.name for one in settings.indicators]
    out = []
    for case, row in enumerate(effects):
        said = []
        for place in np.argsort(-np.abs(row), kind="stable")[:_MOST]:
            if abs(row[place]) < _LEAST:
                break
            odds = f"odds × {_rounded(np.exp(row[place]))}"
            if names[place] == INDEX:
                said.append(f"{INDEX} ({odds})")
                continue
            if not names[place]:
                said.append(f"time since it was repaired or first seen ({odds})")
                continue
            which = indicators.index(names[place])
            said.append(f"{names[place]} {_deviation(levels[case, which], spread[which])} ({odds})")
        out.append("; ".join(said))
    return out


def _deviation(level: float, spread: float) -> str:
    """Return a deviation in words, in units of its typical size."""
    if np.isnan(level):
        return "unknown"
    size = level / spread if spread > 0 else 0.0
    if abs(size) < 1:
        return "near its usual value"
    return f"{_rounded(abs(size))} times its usual spread {'above' if size > 0 else 'below'} usual"


def _rounded(number: float) -> str:
    """Return two digits, without an exponent.

    >>> _rounded(131.2), _rounded(4.13), _rounded(0.892)
    ('130', '4.1', '0.89')
    """
    return f"{float(f'{number:.2g}'):g}"
