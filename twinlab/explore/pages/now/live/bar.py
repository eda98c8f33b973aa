"""The bar of a live Now page: what the page shows, how fresh that is, and buttons to pause, to go back, and to follow again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.exception_text import LabelsByType, age_text
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.widgets import row
from twinlab.explore.pages.now.live.tables import assets_html, chips_html, sources_html
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from markupsafe import Markup

    from twinlab.explore.pages.now.live.freshness import Freshness

__all__ = ["LiveBar", "Mode", "mode_html"]

Mode = Literal["live", "paused", "back"]
#: Steps back and forward in time: label and seconds.
_STEPS = (("− 1 h", -3600), (mark("− 10 min"), -600), (mark("+ 10 min"), 600))
#: Green, orange, blue of the palette for colour-blind readers; the sign and the word say the same.
_LOOK = {
    "live": ("●", mark("Live"), "#009E73"),
    "stale": ("▲", mark("Live, but not current"), "#D55E00"),
    "paused": ("❚❚", mark("Paused"), "#D55E00"),
    "back": ("◀", mark("Looking back"), "#0072B2"),
    "stopped": ("○", mark("Not live"), "#D55E00"),
}
_BAR = (
    '<div role="status" style="border-left:6px solid {{ color }};padding:3px 10px;font:15px/1.4 Roboto,system-ui,sans-serif">'
    '<b style="font-weight:600"><span aria-hidden="true">{{ sign }}</span> {{ word }}</b> · {{ text }}</div>'
)


def mode_html(mode: Mode, found: Freshness, *, at: np.datetime64 | None, command: str) -> Markup:
    """Return in a sentence what the page shows, and how fresh that is.

    Parameters
    ----------
    mode : {"live", "paused", "back"}
    found : Freshness
    at : datetime64 or None
        Instant of the rows and the map, UTC; None without data.
    command : str
        Command that starts the historian.
    """
    now = pd.Timestamp(found.at_ns)
    when = tr("no data yet") if at is None else tr("{at:%Y-%m-%d %H:%M:%S} UTC", at=pd.Timestamp(at))
    ago = "" if at is None else tr(", {at} ago", at=age_text(now - pd.Timestamp(at)))
    if mode == "back":
        return _sentence(
            "back", tr("as of {when}{ago}. Freshness is that of the present, so it isn't shown.", when=when, ago=ago)
        )
    if mode == "paused":
        return _sentence(
            "paused",
            tr(
                "rows and map don't change, as of {when}{ago}. The ages of sources below are still updated.",
                when=when,
                ago=ago,
            ),
        )
    if found.stopped is not None:
        since = f"The historian has not run for {found.stopped}" if found.stopped else tr("No historian has run yet")
        return _sentence(
            "stopped",
            tr(
                "{since}: nothing new is stored. The rows are as of {when}{ago}. Start it with: {command}",
                since=since,
                when=when,
                ago=ago,
                command=command,
            ),
        )
    newest = (
        tr("no row yet") if found.newest_age is None else tr("newest row {newest_age} ago", newest_age=found.newest_age)
    )
    bad = [f"{one.name} ({one.state.partition(' ')[2]})" for one in found.sources if not one.current]
    warned = [one.name for one in found.sources if one.current and one.trouble]
    count, total = len(found.assets) - len(found.stale), len(found.assets)
    assets = (
        tr("{count:,} of {total:,} assets live", count=count, total=total)
        if count < total
        else tr("{total:,} assets live", total=total)
    )
    if bad:
        of = tr("{count} of {count2} sources", count=len(bad), count2=len(found.names))
        return _sentence(
            "stale",
            tr(
                "{newest} · {of} not current: {bad} · {assets}", newest=newest, of=of, bad=", ".join(bad), assets=assets
            ),
        )
    rest = tr(" · attention: {warned}", warned=", ".join(warned)) if warned else ""
    return _sentence(
        "live",
        tr(
            "{newest} · all {count} sources current · {assets}{rest}",
            newest=newest,
            count=len(found.names),
            assets=assets,
            rest=rest,
        ),
    )


def _sentence(look: str, text: str) -> Markup:
    sign, word, color = _LOOK[look][0], tr(_LOOK[look][1]), _LOOK[look][2]
    return html(_BAR, sign=sign, word=word, color=color, text=text)


class LiveBar:
    """A sentence, buttons, sources in a line, and tables of freshness that a button shows (``pane``).

    Parameters
    ----------
    titles : mapping of asset type to its title
    labels : mapping of asset type to (asset -> name)
    command : str
        Command that starts the historian.
    on_pause, on_live : callable
    on_step : callable
        Called with seconds, negative for back.
    """

    def __init__(
        self,
        *,
        titles: Mapping[str, str],
        labels: LabelsByType,
        command: str,
        on_pause: Callable[[], object],
        on_live: Callable[[], object],
        on_step: Callable[[int], object],
    ) -> None:
        self._titles, self._labels, self._command = titles, labels, command
        self._found: Freshness | None = None
        self.text = Html("", margin=(6, 10, 4, 10), styles={"flex": "1 1 430px", "min-width": "0"})
        self._chips = Html("", sizing_mode="stretch_width", margin=(2, 10, 4, 10))
        self._sources = Html("", sizing_mode="stretch_width", margin=(2, 10))
        self._assets = Html("", sizing_mode="stretch_width", margin=(2, 10))
        self.follow = pmui.Button(label=tr("Pause"), icon="pause", size="small", variant="contained", margin=4)
        self.follow.on_click(lambda _: on_pause() if self.mode == "live" else on_live())
        self.steps = [pmui.Button(label=tr(label), size="small", variant="outlined", margin=4) for label, _ in _STEPS]
        for button, (_, seconds) in zip(self.steps, _STEPS, strict=True):
            button.on_click(lambda _, seconds=seconds: on_step(seconds))
        self.details = pmui.Button(label=tr("Freshness"), icon="speed", size="small", variant="outlined", margin=4)
        self.details.on_click(lambda _: self._toggle())
        self._tables = pn.Column(self._sources, self._assets, visible=False, sizing_mode="stretch_width")
        self.mode: Mode = "live"
        buttons = row([self.follow, *self.steps, self.details], margin=(0, 6, 0, 6))
        buttons.styles = {"flex": "0 1 470px", "min-width": "0"}
        self.pane = pn.Column(
            pn.FlexBox(self.text, buttons, align_items="center", sizing_mode="stretch_width"),
            self._chips,
            self._tables,
            sizing_mode="stretch_width",
        )

    def show(self, mode: Mode, found: Freshness, *, at: np.datetime64 | None) -> None:
        """Show what the page shows: its mode, the freshness of the present, and the instant of its rows."""
        self.mode, self._found = mode, found
        self.text.object = mode_html(mode, found, at=at, command=self._command)
        live = mode == "live"
        self.follow.param.update(label=tr("Pause") if live else tr("Go live"), icon="pause" if live else "play_arrow")
        self.steps[-1].disabled = live
        self._chips.param.update(object=chips_html(found), visible=mode != "back")
        self.details.visible = mode != "back"
        self._show_tables()

    def _toggle(self) -> None:
        self._tables.visible = not self._tables.visible
        self.details.variant = "contained" if self._tables.visible else "outlined"
        self._show_tables()

    def _show_tables(self) -> None:
        """Write the tables while they are shown."""
        if self.mode == "back" and self._tables.visible:
            self._toggle()
        if self._found is not None and self._tables.visible:
            self._sources.object = sources_html(self._found)
            self._assets.object = assets_html(self._found, titles=self._titles, labels=self._labels)
