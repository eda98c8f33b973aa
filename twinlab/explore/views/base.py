"""Base class of explorers and pages: state as a link, code, data, tables, and exports to files."""

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
from twinlab.explore.kit.translation import translate_choices
from twinlab.languages import tr

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["Explorer", "on_event_loop"]


class Explorer(pn.viewable.Viewer):
    """Base class of all explorers and pages; the same object works in JupyterLab and in a served page.

    Parameters
    ----------
    twin : TwinReader
        The twin to read; only the protocol is used.
    link : Link, optional
        Initial state; wrong values become a notice.
    shared : Shared, optional
        Caches for all readers of the twin; new ones by default.
    session : Session, optional
        User name and settings of the reader.
    patient : bool
        Show a served page first and load slow parts afterwards.
    open_code : str, optional
        Python that opens the twin as ``twin``, for `code`; by default the twin's own ``open_code``.
    """

    #: Name of the view in a link, and its title on a page.
    name_in_link: ClassVar[str] = ""
    label: ClassVar[str] = ""

    revision = param.Integer(default=0, doc="incremented whenever the view's link changes")
    notice = param.String(default="", doc="warning shown to the reader")
    chosen = param.Parameter(default=None, allow_None=True, doc="the selected (asset type, asset), or None")

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
        translate_choices(self)
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
            # Text on one line with the icon.
            sx={"alignItems": "center", "padding": "2px 14px", "& p": {"margin": 0}},
        )

    # -- helpers of subclasses ----------------------------------------------------------------------------------------

    @contextmanager
    def _silently(self) -> Iterator[None]:
        """Change several parameters without an update after each."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _guarded(self, action: Callable[[], object]) -> bool:
        """Run an action; return False after a failure, which becomes a notice and leaves the view unchanged."""
        try:
            action()
        except READING_ERRORS as error:
            self.notice = tr("The data can't be read: {error}", error=error)
            return False
        return True

    @param.depends("notice", watch=True)
    def _notice_changed(self) -> None:
        self._alert.param.update(object=self.notice, visible=bool(self.notice))

    # -- implemented by subclasses ------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the view's state."""
        raise NotImplementedError

    def apply(self, link: Link) -> None:
        """Set the state from a link; wrong values become a notice, and missing ones the default."""
        raise NotImplementedError

    def code(self) -> str:
        """Return Python that reads the shown data in a fresh kernel as ``data``; "" if nothing is shown."""
        raise NotImplementedError

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return the shown data, equal to that of `code`; None if nothing is shown."""
        raise NotImplementedError

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the shown data as tables: sheet name -> table, units in the column titles."""
        raise NotImplementedError

    def settings(self) -> dict[str, str]:
        """Return the settings as text: label -> value."""
        raise NotImplementedError

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the plot as a HoloViews object without widgets; None if nothing is drawn."""
        raise NotImplementedError

    def findings(self) -> list[tuple[str, str]]:
        """Return findings about what is shown, for a report: a sentence, and the Python that gives its numbers."""
        from twinlab.explore.views.shown_findings import shown_findings  # noqa: PLC0415  (loaded with the first report)

        return shown_findings(self.twin, self.link())

    # -- exports ------------------------------------------------------------------------------------------------------

    def url(self, *, base: str = "") -> str:
        """Return a link to the view, relative unless ``base`` is given."""
        return base + format_link(self.link())

    def report(self, path: str | Path) -> Path:
        """Write the view as one self-contained HTML file, which opens without a network."""
        from twinlab.explore.files.report import write_report  # noqa: PLC0415  (writers are loaded when needed)

        return write_report(self, Path(path))

    def to_excel(self, path: str | Path) -> Path:
        """Write the view's tables to an Excel file, with settings and code on an *about* sheet."""
        from twinlab.explore.files.excel import write_excel  # noqa: PLC0415

        return write_excel(self, Path(path))

    def export(self, path: str | Path) -> Path:
        """Write the view's data to Parquet, CSV or Excel, according to the suffix of the path.

        Raises
        ------
        SchemaError
            If the suffix is another, or there is nothing to write.
        """
        from twinlab.explore.files.data import write_data  # noqa: PLC0415

        return write_data(self, Path(path))

    def picture(self, path: str | Path) -> Path:
        """Write the view's plot for publication: ``.svg``, or ``.png`` at 300 dpi.

        Raises
        ------
        SchemaError
            If the suffix is another, or nothing is drawn.
        """
        from twinlab.explore.files.picture import write_picture  # noqa: PLC0415

        return write_picture(self, Path(path))


def on_event_loop() -> bool:
    """Return whether this runs on an event loop, where slow work would block all readers of a server.

    A page that is built in its own thread needn't defer loading: it blocks nobody and is sent once it is complete.

    >>> on_event_loop()
    False
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
