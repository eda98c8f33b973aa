"""What the writers need from a view, as a protocol, and the check of a file's suffix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from twinlab.errors import SchemaError
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["Exportable", "LatestTime", "check_suffix"]


class LatestTime(Protocol):
    """A source of the newest time of a twin, such as `twinlab.explore.Shared`."""

    def latest(self) -> np.datetime64 | None:
        """Return the time of the newest sample, None if there is none."""


class Exportable(Protocol):
    """A view whose data, tables, figure and code can be written to files, such as `twinlab.explore.Explorer`."""

    label: ClassVar[str]
    twin: TwinReader

    @property
    def shared(self) -> LatestTime:
        """Return what several readers of the twin share; only its newest time is used."""

    def code(self) -> str:
        """Return Python that reproduces the view; "" if it shows nothing."""

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return the data of the view; None if it shows nothing."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables of the view: title -> table, units in the column titles."""

    def settings(self) -> dict[str, str]:
        """Return the settings of the view: label -> value."""

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> Any:
        """Return the plot as a HoloViews object without widgets; None if nothing is drawn."""

    def url(self, *, base: str = "") -> str:
        """Return a link to the view."""


def check_suffix(path: Path, suffixes: tuple[str, ...], what: str) -> str:
    """Return the suffix of a path, in lower case.

    Raises
    ------
    SchemaError
        If it's none of ``suffixes``.
    """
    suffix = path.suffix.casefold()
    if suffix not in suffixes:
        known = ", ".join(suffixes[:-1]) + f" or {suffixes[-1]}" if len(suffixes) > 1 else suffixes[0]
        msg = f"expected {what} ending in {known}, got {path.name!r}{nearest(suffix, suffixes)}"
        raise SchemaError(msg)
    return suffix
