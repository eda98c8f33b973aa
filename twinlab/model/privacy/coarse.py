"""Times and positions in the precision of a purpose."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["coarse_positions", "coarse_times"]

#: Metres of a degree of latitude: a meridian of the WGS 84 ellipsoid is 20,003,931.5 m long.
_METRES = 20_003_931.5 / 180
Floats = npt.NDArray[np.float64]


def coarse_times(times: npt.NDArray[np.datetime64], step_ns: int) -> npt.NDArray[np.datetime64]:
    """Return times rounded down to multiples of a step since 1970 (UTC); NaT stays.

    >>> coarse_times(np.array(["2026-03-01T10:42", "NaT"], "M8[ns]"), 3600 * 10**9).astype("M8[m]").tolist()
    [datetime.datetime(2026, 3, 1, 10, 0), None]
    """
    whole = times.astype("datetime64[ns]")
    ns = whole.astype(np.int64)
    return np.where(np.isnat(whole), whole, (ns - ns % step_ns).astype("datetime64[ns]"))


def coarse_positions(latitude: npt.ArrayLike, longitude: npt.ArrayLike, side_m: float) -> tuple[Floats, Floats]:
    """Return positions moved to the centres of their cells.

    The grid has rows of equal height; the number of cells of a row depends on its latitude, so that each is about square. All positions
    of a cell become equal.

    Parameters
    ----------
    latitude, longitude : array_like
        Degrees, of equal shape; NaN stays.
    side_m : float
        Side of a cell, metres.

    >>> latitude, longitude = coarse_positions([52.5200, 52.5201], [13.4050, 13.4051], 1000)
    >>> bool(latitude[0] == latitude[1] and longitude[0] == longitude[1])
    True
    """
    height = side_m / _METRES
    row = np.floor(np.asarray(latitude, dtype=np.float64) / height)
    centre = (row + 0.5) * height
    # Near the poles a row has one cell.
    width = np.minimum(360.0, height / np.maximum(np.cos(np.radians(np.clip(centre, -89.9, 89.9))), 1e-3))
    column = np.floor(np.asarray(longitude, dtype=np.float64) / width)
    return centre, (column + 0.5) * width
