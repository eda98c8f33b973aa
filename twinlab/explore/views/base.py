"""What every explorer and view can do: tell its state, its code and its data, and leave as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link, format_link
from twinlab.explore.kit.session import Session, Shared

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["Explorer", "on_event_loop"]


class Explorer(pn.viewable.Viewer):
    """Base of all explorers and views: parameters with plots, the same object in JupyterLab and in a served page.

    Parameters
    ----------
    twin : TwinReader
        What is read. Nothing but the protocol is used.
    link : Link, optional
        What to show first; wrong values become a notice.
    shared : Shared, optional
        What several readers of the twin share. Made anew without it.
    session : Session, optional
        The reader's own settings.
    patient : bool
        Let a served page stand first; what takes time to read follows.
    open_code : str, optional
        Python that opens the twin under the name ``twin``, for `code`. By default the twin's own ``open_code``.
    """

    #: Name of the view in a link, and what it's called on a page.
    name_in_link: ClassVar[str] = ""
    label: ClassVar[str] = ""

    revision = param.Integer(default=0, doc="rises whenever the view's link changes")
    notice = param.String(default="", doc="what went wrong, for the reader")
    chosen = param.Parameter(default=None, allow_None=True, doc="(asset type, asset) that the reader picked, or None")

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__()
        self.twin = twin
        self.shared = shared or Shared(twin)
        self.session = session or Session()
        self.patient = patient
        self.open_code = open_code or str(getattr(twin, "open_code", "twin = ...  # open your twin here"))
        self.first_link = link or Link()
        self._quiet = False
        self._alert = pmui.Alert(
            object="",
            severity="warning",
            visible=False,
            margin=(4, 10),
            sizing_mode="stretch_width",
            # One line of text in line with its sign.
            sx={"alignItems": "center", "padding": "2px 14px", "& p": {"margin": 0}},
        )

    # -- what views stand on ------------------------------------------------------------------------------------------

    @contextmanager
    def _silently(self) -> Iterator[None]:
        """Change several parameters as one; nothing is read in between."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _guarded(self, action: Callable[[], object]) -> bool:
        """Run an action; a failure becomes a notice, and what is shown stays as it was."""
        try:
            action()
        except READING_ERRORS as error:
            self.notice = f"The data can't be read: {error}"
            return False
        return True

    @param.depends("notice", watch=True)
    def _notice_changed(self) -> None:
        self._alert.param.update(object=self.notice, visible=bool(self.notice))

    # -- what a view must tell ----------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the view's state."""
        raise NotImplementedError

    def apply(self, link: Link) -> None:
        """Show what a link asks for; a wrong value becomes a notice, and what a link doesn't say is the usual."""
        raise NotImplementedError

    def code(self) -> str:
        """Return Python that reads what is shown in a fresh kernel, under the name ``data``; "" if there is nothing."""
        raise NotImplementedError

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return what is shown, as `code` gives it; None if there is nothing."""
        raise NotImplementedError

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what is shown as tables, by the name of their sheet; titles carry units."""
        raise NotImplementedError

    def settings(self) -> dict[str, str]:
        """Return what the reader chose, in words: label -> value."""
        raise NotImplementedError

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return what is drawn as a HoloViews object without widgets; None if nothing is drawn."""
        raise NotImplementedError

    # -- what follows from it -----------------------------------------------------------------------------------------

    def url(self, *, base: str = "") -> str:
        """Return a link to the view, relative unless ``base`` is given."""
        return base + format_link(self.link())

    def report(self, path: str | Path) -> Path:
        """Write the view as one HTML file that needs nothing else: it opens from disk with the network off."""
        from twinlab.explore.files.report import write_report  # noqa: PLC0415  (writers load when they're needed)

        return write_report(self, Path(path))

    def to_excel(self, path: str | Path) -> Path:
        """Write the view's tables to an Excel file, with settings and code on an *about* sheet."""
        from twinlab.explore.files.excel import write_excel  # noqa: PLC0415

        return write_excel(self, Path(path))

    def export(self, path: str | Path) -> Path:
        """Write the view's data to Parquet, CSV or Excel, by the path's ending.

        Raises
        ------
        SchemaError
            If the ending is none of those, or there is nothing to write.
        """
        from twinlab.explore.files.data import write_data  # noqa: PLC0415

        return write_data(self, Path(path))

    def picture(self, path: str | Path) -> Path:
        """Write the view's plot for publication: ``.svg``, or ``.png`` at 300 dots an inch.

        Raises
        ------
        SchemaError
            If the ending is neither of those, or nothing is drawn.
        """
        from twinlab.explore.files.picture import write_picture  # noqa: PLC0415

        return write_picture(self, Path(path))


def on_event_loop() -> bool:
    """Return whether this runs where all readers are served: who takes long there lets them wait.

    A page that is built in a thread of its own needn't be patient: nobody waits for it, and it's sent once, whole.

    >>> on_event_loop()
    False
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
