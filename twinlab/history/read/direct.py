"""Read a Dataset of history into memory without a Dask graph: what pages and rules do with what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.history.read.lazy import LazyWindows

__all__ = ["computed"]


def computed(data: xr.Dataset) -> xr.Dataset:
    """Return a Dataset with all arrays in memory, as ``data.compute()`` does, but faster for what a page shows.

    Arrays of `twinlab.history` with at most the cells of one Dask task are read directly, statistics of the same windows
    together. All others, and Datasets of other origin, are computed by xarray.
    """
    if not any(hasattr(one.variable._data, "dask") for one in data.data_vars.values()):  # noqa: SLF001
        return data.compute()
    # Loaded when needed: Dask takes seconds.
    from twinlab.history.read.dask_arrays import TASK_CELLS, source_of  # noqa: PLC0415
    from twinlab.history.read.lazy import LazyWindows, read_statistics  # noqa: PLC0415

    found: dict[str, NDArray[Any]] = {}
    windows: dict[object, list[tuple[str, LazyWindows]]] = {}
    for name, variable in data.data_vars.items():
        source = source_of(variable.variable._data)  # noqa: SLF001  (`data` would load arrays that aren't Dask's)
        cells = 0 if source is None else int(np.prod(source.shape)) * source.cost
        if source is None or not 0 < cells <= TASK_CELLS:
            continue
        if isinstance(source, LazyWindows) and source.statistic != "increase":
            same = (source.reader.token, source.name, source.first, source.length, source.step)
            windows.setdefault(same, []).append((str(name), source))
        else:
            found[str(name)] = source[(slice(None),) * source.ndim]
    for group in windows.values():
        found |= dict(zip((name for name, _ in group), read_statistics([source for _, source in group]), strict=True))
    if not found:
        return data.compute()
    out = data.copy(data={str(n): found.get(str(n), one.variable._data) for n, one in data.data_vars.items()})  # noqa: SLF001
    return out if len(found) == len(data.data_vars) else out.compute()
