"""What the writers need from a view: a protocol, so that files know no explorer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["Exportable", "LatestTime"]


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
