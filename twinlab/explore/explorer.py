"""The signal explorer: pick assets and a signal, zoom from years to single samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.choices import Choices, words
from twinlab.explore.html import Html
from twinlab.explore.legend import legend_html, title_html
from twinlab.explore.link import Link, format_link, known_or_problem
from twinlab.explore.reading import READING_ERRORS, Window, data_span
from twinlab.explore.screens import Look, Screens
from twinlab.explore.view import Ask, View, look, view_code

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["MAX_ASSETS", "SignalExplorer"]

#: Curves in one chart; more can't be told apart.
MAX_ASSETS = 6

_NO_SIGNALS = "This twin has no signals yet. Ingest a source whose mapping names some, then reload the page."
_NO_DATA = "No asset of this twin has observations yet. Ingest a source that holds some, then reload the page."


class SignalExplorer(pn.viewable.Viewer):
    """A chart of one signal of some assets, zoomable from the whole history down to raw samples.

    Set a parameter and the chart follows; zoom the chart and ``window`` follows. The same object works in JupyterLab
    and in a served page.

    Parameters
    ----------
    twin : TwinReader
        What is read. Nothing but the protocol is used.
    link : Link, optional
        What to show first; wrong values become a notice.
    open_code : str, optional
        Python that opens the twin under the name ``twin``, for `code`. By default the twin's own ``open_code``.
    """

    asset_type = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="kind of asset")
    signal = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="what is measured")
    assets = param.ListSelector(default=[], objects=[], check_on_set=True, doc="assets that are drawn")
    window = param.DateRange(default=None, allow_None=True, doc="visible span, UTC, half-open; None is everything")
    show_flags = param.Boolean(default=True, doc="mark suspect, failed and missing samples")
    full_range = param.Boolean(default=False, doc="let failed samples stretch the value axis")
    marked = param.Parameter(default=None, allow_None=True, doc="span of a chosen event, drawn behind the curves")
    notice = param.String(default="", doc="what went wrong, for the reader")

    def __init__(self, twin: TwinReader, *, link: Link | None = None, open_code: str | None = None) -> None:
        super().__init__()
        self._twin = twin
        self._open_code = open_code or str(getattr(twin, "open_code", "twin = ...  # open your twin here"))
        self._view: View | None = None
        self._span: Window | None = None
        self._quiet = True
        self._choices = Choices(twin)
        self._screens = Screens(on_zoom=self._on_zoom)
        self._heading = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._legend = Html("", sizing_mode="stretch_width", margin=(2, 10))
        self._alert = pmui.Alert(
            object="", severity="warning", visible=False, margin=(4, 10), sizing_mode="stretch_width"
        )
        self.param.asset_type.objects = self._choices.kinds()
        self._quiet = False
        self.apply(link or Link())

    # -- choosing -----------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show what a link asks for; a wrong value becomes a notice, and what a link doesn't say is the usual."""
        problems = list(link.problems)
        types = list(self.param.asset_type.objects)
        if not types:
            self.notice = " · ".join(problems)
            self._rebuild()
            return
        with self._silently():
            self.asset_type = known_or_problem(link.asset_type, types, "asset type", problems) or types[0]
            self._offer()
            signals = list(self.param.signal.objects)
            self.signal = known_or_problem(link.signal, signals, "signal", problems) or self.signal
            known = list(self.param.assets.objects)
            asked = [known_or_problem(a, known, "asset", problems) for a in link.assets or ()]
            self.assets = [a for a in asked if a is not None][:MAX_ASSETS] or self.assets
            self.window = link.window
            self.show_flags = True if link.show_flags is None else link.show_flags
            self.full_range = bool(link.full_range)
        self.notice = " · ".join(problems)
        self._selection_changed()

    @contextmanager
    def _silently(self) -> Iterator[None]:
        """Change several parameters as one; nothing is read in between."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _offer(self) -> None:
        """Offer the signals and assets of the chosen type, and keep what still fits."""
        kind = str(self.asset_type)
        signals, labels = self._choices.signals(kind), self._choices.assets(kind)
        signal = self.signal if self.signal in signals.values() else next(iter(signals.values()))
        assets = [a for a in self.assets if a in labels.values()] or self._choices.first(kind)
        # Choices first emptied, so that no value is ever outside its choices.
        self.param.update(signal=None, assets=[])
        self.param.signal.objects = signals
        self.param.assets.objects = labels
        self.param.update(signal=signal, assets=assets)

    def _find_span(self) -> None:
        self._span = data_span(self._twin, asset_type=str(self.asset_type), signal=str(self.signal))

    @param.depends("asset_type", watch=True)
    def _type_changed(self) -> None:
        if self._quiet:
            return
        with self._silently():
            self._offer()
        self._selection_changed()

    @param.depends("signal", "assets", watch=True)
    def _selection_changed(self) -> None:
        if self._quiet:
            return
        if len(self.assets) > MAX_ASSETS:
            self.notice = f"A chart shows at most {MAX_ASSETS} assets; the first {MAX_ASSETS} are drawn."
        self._guarded(self._find_span)
        self._rebuild()

    @param.depends("window", "show_flags", "full_range", "marked", watch=True)
    def _look_changed(self) -> None:
        if self._quiet:
            return
        before = self._view
        if not self._read() or before is None or self._view is None or not self._same_shape(before):
            self._show()
        else:
            self._screens.refresh(self._view, self._look(), move=True)

    @param.depends("notice", watch=True)
    def _notice_changed(self) -> None:
        self._alert.param.update(object=self.notice, visible=bool(self.notice))

    # -- reading and drawing ------------------------------------------------------------------------------------------

    @property
    def span(self) -> Window | None:
        """Span in which the chosen signal has samples."""
        return self._span

    @property
    def shown(self) -> Window | None:
        """Span that the chart shows: the window, or everything."""
        if self.window is None:
            return self._span
        start, stop = (np.datetime64(t, "ns") for t in self.window)
        return start, stop

    @property
    def view(self) -> View | None:
        """What the chart shows; None if there is nothing to show."""
        return self._view

    @property
    def title(self) -> str:
        """The signal and its assets, in words."""
        if self.signal is None:
            return "No signal"
        spec = self._twin.model.asset_types[str(self.asset_type)].signals[str(self.signal)]
        labels = {asset: label for label, asset in self.param.assets.names.items()}
        name = spec.title or words(str(self.signal))
        return f"{name[:1].upper()}{name[1:]} · {', '.join(labels.get(a, a) for a in self._drawn())}"

    def _drawn(self) -> list[str]:
        return list(self.assets)[:MAX_ASSETS]

    def _guarded(self, action: Any) -> bool:
        """Run an action; a failure becomes a notice and the chart stays as it was."""
        try:
            action()
        except READING_ERRORS as error:
            self.notice = f"The data can't be read: {error}"
            return False
        return True

    def _read(self) -> bool:
        shown = self.shown
        if self.signal is None or shown is None or not self.assets:
            self._view = None
            return False
        labels = {asset: label for label, asset in self.param.assets.names.items()}
        ask = Ask(str(self.asset_type), str(self.signal), tuple(self._drawn()), shown, labels)

        def action() -> None:
            self._view = look(self._twin, ask)

        if not self._guarded(action) or self._view is None:
            return False
        self._heading.object = title_html(self.title, self._view.title)
        self._legend.object = legend_html(self._view.traces, show_flags=self.show_flags, event=self.marked is not None)
        return True

    def _same_shape(self, before: View) -> bool:
        """Whether the plots on screens can take the new data as they are."""
        view = self._view
        return (
            view is not None
            and before.y_label == view.y_label
            and before.states is None
            and view.states is None
            and len(before.traces) == len(view.traces)
        )

    def _rebuild(self) -> None:
        self._read()
        self._show()

    def _look(self) -> Look:
        return Look(show_flags=self.show_flags, full_range=self.full_range, marked=self.marked)

    def _show(self) -> None:
        """Make the chart anew."""
        if self._view is None:
            self._screens.say(self._why_nothing())
            self._heading.object = title_html(self.title, "")
            self._legend.object = ""
        else:
            self._screens.show(self._view, self._look())

    def _why_nothing(self) -> str:
        if self.signal is None:
            return _NO_DATA if any(kind.signals for kind in self._twin.model.asset_types.values()) else _NO_SIGNALS
        if not self.assets:
            return "Choose at least one asset."
        if self._span is None:
            return "No samples of this signal have arrived yet."
        return "Nothing can be shown; the notice above says why."

    def _on_zoom(self, window: Window) -> None:
        """Take over the window to which the reader has zoomed; the plot's own axis stays in the reader's hands."""
        before, shown = self._view, self.shown
        if before is None or window[1] <= window[0] or (shown is not None and _close(window, shown)):
            return
        with self._silently():
            self.window = window
        if self._read() and self._view is not None and self._same_shape(before):
            self._screens.refresh(self._view, self._look(), move=False)
        else:
            self._show()

    # -- what can be done ---------------------------------------------------------------------------------------------

    def can_draw(self, asset_type: str, asset: str) -> bool:
        """Whether an asset has observations."""
        return asset in self._choices.assets(asset_type).values()

    def reset(self) -> None:
        """Show everything again."""
        self.window = None

    def go_to(self, *, asset_type: str | None = None, assets: Sequence[str] = (), window: Window | None = None) -> None:
        """Move the chart: to assets (if they have signals) and a window, in one step."""
        same = (self.asset_type, list(self.assets))
        with self._silently():
            if asset_type in self.param.asset_type.objects:
                changed = self.asset_type != asset_type
                self.asset_type = asset_type
                if changed:
                    self._offer()
                known = [a for a in assets if a in self.param.assets.objects]
                self.assets = known or self.assets
            if window is not None:
                self.window = window
        if same == (self.asset_type, list(self.assets)):
            self._look_changed()
        else:
            self._selection_changed()

    def code(self) -> str:
        """Return Python that reads and draws the same view in a fresh kernel."""
        return "" if self._view is None else view_code(self._view, opening=self._open_code)

    def link(self) -> Link:
        """Return the view's state."""
        return Link(
            asset_type=self.asset_type,
            signals=None if self.signal is None else (str(self.signal),),
            assets=tuple(self._drawn()) or None,
            window=None if self.window is None else self.shown,
            show_flags=None if self.show_flags else False,
            full_range=self.full_range or None,
        )

    def url(self, *, base: str = "") -> str:
        """Return a link to the view, relative unless ``base`` is given."""
        return base + format_link(self.link())

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets that choose what is drawn."""
        kind = pmui.Select.from_param(self.param.asset_type, label="Kind of asset", width=190, size="small")
        signal = pmui.Select.from_param(self.param.signal, label="Signal", width=210, size="small")
        assets = pmui.MultiChoice.from_param(
            self.param.assets, label="Assets", min_width=240, max_width=460, max_items=MAX_ASSETS, option_limit=200
        )
        flags = pmui.Switch.from_param(self.param.show_flags, label="Flags", align="center")
        full = pmui.Switch.from_param(self.param.full_range, label="Off-scale values", align="center")
        reset = pmui.Button(label="Show all", variant="outlined", size="small", align="center")
        reset.on_click(lambda _: self.reset())
        return pn.FlexBox(
            kind,
            signal,
            assets,
            flags,
            full,
            reset,
            align_items="center",
            gap="2px 4px",
            sizing_mode="stretch_width",
            margin=(8, 0, 4, 0),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        if not self.param.asset_type.objects:
            return pn.Column(self._alert, self._screens.pane, sizing_mode="stretch_width")
        return pn.Column(
            self._alert,
            self.controls(),
            self._heading,
            self._screens.pane,
            self._legend,
            sizing_mode="stretch_width",
        )


def _close(a: Window, b: Window) -> bool:
    """Whether two windows are the same on a screen."""
    span = (b[1] - b[0]).astype("timedelta64[ns]").astype("int64")
    return all(abs((x - y).astype("timedelta64[ns]").astype("int64")) <= span / 2000 for x, y in zip(a, b, strict=True))
