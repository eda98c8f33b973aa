"""A part of the page: choices, a computation in the background, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.background.run_bar import RunBar
from twinlab.explore.kit.panes import Html, empty_pane
from twinlab.explore.views.outlook.computing import Steps
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.link import Link
    from twinlab.explore.kit.session import Shared

__all__ = ["Part", "chart_pane", "html_pane", "section", "text_pane"]


class Part:
    """Base class of the parts of the page Outlook (``pane``).

    Parameters
    ----------
    twin : TwinReader
    shared : Shared
    on_change : callable
        Called when the state of the page in a link, or what is shown, has changed.
    """

    #: Label of the button that computes, and the sentence before anything is computed.
    button: ClassVar[str] = mark("Compute")
    ready: ClassVar[str] = ""

    def __init__(self, twin: Any, *, shared: Shared, on_change: Callable[[], None]) -> None:
        self.twin, self.shared, self._on_change = twin, shared, on_change
        self.result: Any = None
        #: What went wrong last; "" if nothing did.
        self.fault = ""
        self._run: BackgroundRun[tuple[int, int, str]] | None = None
        self.bar = RunBar(self.button, on_run=self.compute, on_cancel=self.cancel, ready=self.ready)
        self._alert = pmui.Alert(
            object="", severity="error", visible=False, margin=(4, 10), sizing_mode="stretch_width"
        )
        self._quiet = False
        self.results = pn.Column(sizing_mode="stretch_width", visible=False)
        self.pane = pn.Column(sizing_mode="stretch_width")

    # -- implemented by subclasses ------------------------------------------------------------------------------------

    def request(self) -> Any:
        """Return what the choices ask for."""
        raise NotImplementedError

    def computed(self, request: Any, steps: Steps) -> Any:
        """Return the result of a request; called in a thread."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the result."""
        raise NotImplementedError

    def done(self) -> str:
        """Return a sentence on the result: what it is of, and when it was issued."""
        raise NotImplementedError

    def apply(self, link: Link) -> list[str]:
        """Set the choices from a link; returns a message for each wrong value."""
        raise NotImplementedError

    def link(self) -> dict[str, Any]:
        """Return the choices as fields of a link."""
        raise NotImplementedError

    def code(self, open_code: str) -> str:
        """Return Python that computes what is shown as ``data``; "" if nothing is."""
        raise NotImplementedError

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return what is shown; None if nothing is."""
        raise NotImplementedError

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what is shown as tables."""
        raise NotImplementedError

    def settings(self) -> dict[str, str]:
        """Return the choices as text."""
        raise NotImplementedError

    def figure(self) -> Any:
        """Return the chart; None if there is none."""
        return None

    # -- computing ----------------------------------------------------------------------------------------------------

    def compute(self) -> None:
        """Compute what the choices ask for, in the background on a served page."""
        self._alert.visible, self.fault = False, ""
        try:
            request = self.request()
        except ValueError as error:
            self._failed(str(error))
            return
        self.bar.begin(tr("It begins …"))
        run: BackgroundRun[tuple[int, int, str]] = BackgroundRun(
            lambda *, progress, cancel: self.computed(request, Steps(progress, cancel)),
            on_progress=self._progressed,
            on_end=lambda found, fault: self._ended(run, found, fault),
        )
        self._run = run
        run.start()

    def cancel(self) -> None:
        """Go back to what was shown; a step that is being computed ends in the background and is dropped."""
        if self._run is not None:
            self._run.cancel()
            self._run = None
            self.bar.end(
                tr("Cancelled. ") + (tr("What is below was there before.") if self.result is not None else self.ready)
            )

    def _progressed(self, steps: list[tuple[int, int, str]]) -> None:
        done, of, text = steps[-1]
        if self._run is not None:
            self.bar.say(text, percent=int(100 * done / max(of, 1)))

    def _ended(self, run: BackgroundRun[tuple[int, int, str]], found: Any, fault: str | None) -> None:
        if run is not self._run:
            return
        self._run = None
        if fault is not None:
            self._failed(fault)
            return
        self.result = found
        self.results.visible = True
        self.show()
        self.bar.end(self.done())
        self._on_change()

    def _failed(self, fault: str) -> None:
        self.fault = fault
        self._alert.param.update(object=fault, visible=True)
        self.bar.end(
            tr("Nothing was computed.")
            if self.result is None
            else tr("What is below was there before: {done}", done=self.done())
        )
        self._on_change()

    def choice_changed(self) -> None:
        """Say that what is shown is of earlier choices."""
        if self._quiet:
            return
        if self.result is not None:
            self.bar.say(
                tr(
                    "The choices have changed; press {button}. Shown below: {done}",
                    button=tr(self.button),
                    done=self.done(),
                )
            )
        self._on_change()

    def parts(self, *choices: Any) -> None:
        """Lay out: choices, buttons, errors, results."""
        self.pane[:] = [*choices, self.bar.pane, self._alert, self.results]

    def nothing(self, title: str, detail: str) -> None:
        """Show an empty state in place of the part."""
        self.pane[:] = [empty_pane(title, detail, height=260)]


def section(title: str, *parts: Any) -> pn.Column:
    """Return parts under a heading."""
    heading = pmui.Typography(title, variant="h6", margin=(10, 10, 0, 10))
    return pn.Column(heading, *parts, sizing_mode="stretch_width")


def text_pane(text: str = "") -> pmui.Typography:
    """Return a paragraph."""
    return pmui.Typography(text, variant="body2", margin=(4, 10), sizing_mode="stretch_width")


def chart_pane(element: Any = None) -> pn.pane.HoloViews:
    """Return a chart."""
    return pn.pane.HoloViews(element, sizing_mode="stretch_width", margin=(0, 10), linked_axes=False)


def html_pane(text: str = "") -> Html:
    """Return a pane of HTML."""
    return Html(text, sizing_mode="stretch_width", margin=(4, 10))
