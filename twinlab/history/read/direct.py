"""Read a Dataset of history into memory without a Dask graph: what pages and rules do with what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinlab.history.read.lazy import DIRECT_CELLS, Lazy, LazyWindows, read_statistics

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["computed", "source_of", "with_source"]


def computed(data: xr.Dataset) -> xr.Dataset:
    """Return a Dataset with all arrays in memory, as ``data.compute()`` does, but faster for what a page shows.

    Arrays of `twinlab.history` of at most `DIRECT_CELLS` are read directly, statistics of the same windows together. All
    others, and Datasets of other origin, are computed by xarray.
    """
    cells: dict[str, Lazy] = {}
    windows: dict[object, list[tuple[str, LazyWindows]]] = {}
    for name, variable in data.data_vars.items():
        # `data` would load arrays that aren't Dask's.
        source = source_of(variable.variable._data)  # noqa: SLF001
        if source is None or not 0 < source.cells <= DIRECT_CELLS:
            continue
        if isinstance(source, LazyWindows) and source.statistic != "increase":
            same = (source.reader.token, source.name, source.first, source.length, source.step)
            windows.setdefault(same, []).append((str(name), source))
        else:
            cells[str(name)] = source
    if not cells and not windows:
        return data.compute()
    found = _read(cells, list(windows.values()))
    out = data.copy(data={str(n): found.get(str(n), one.variable._data) for n, one in data.data_vars.items()})  # noqa: SLF001
    return out if len(found) == len(data.data_vars) else out.compute()


def _read(cells: dict[str, Lazy], windows: list[list[tuple[str, LazyWindows]]]) -> dict[str, NDArray[Any]]:
    """Return arrays by name: of single variables, and of statistics of the same windows, which are read together."""
    readers = [source.reader for source in cells.values()] + [group[0][1].reader for group in windows]

    def one(what: tuple[str, Lazy] | list[tuple[str, LazyWindows]]) -> dict[str, NDArray[Any]]:
        if isinstance(what, tuple):
            name, source = what
            return {name: source[(slice(None),) * source.ndim]}
        return dict(zip((name for name, _ in what), read_statistics([source for _, source in what]), strict=True))

    parts: list[tuple[str, Lazy] | list[tuple[str, LazyWindows]]] = [*cells.items(), *windows]
    if not any(reader.far for reader in readers):
        return {name: array for part in parts for name, array in one(part).items()}
    # Loaded when needed: few histories are in an object store.
    from twinlab.objects.waiting import side_by_side  # noqa: PLC0415

    return {name: array for found in side_by_side(one, parts) for name, array in found.items()}


def source_of(data: object) -> Lazy | None:
    """Return what the data of a variable read in full, if they are of `twinlab.history`."""
    if not hasattr(data, "dask"):
        return None
    # Loaded when needed: Dask's arrays take 0.4 s.
    from twinlab.history.read import dask_arrays  # noqa: PLC0415

    return dask_arrays.source_of(data)


def with_source(variable: xr.DataArray, source: Lazy) -> xr.DataArray:
    """Return a variable of a history that reads another source of the same shape, as lazy as it is."""
    data: Any = variable.variable._data  # noqa: SLF001  (`data` would load arrays that aren't Dask's)
    # Loaded when needed: Dask's arrays take 0.4 s.
    from twinlab.history.read import dask_arrays  # noqa: PLC0415

    return variable.copy(data=dask_arrays.as_dask_like(source, data))
