"""The map of a plan: places and links to pick, what the scenarios change, and a simulated future played on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.charts.figures import FigurePane
from twinlab.explore.charts.outlines import mercator
from twinlab.explore.charts.reading import shown_instant
from twinlab.explore.charts.what_if.network_map import fill_network, make_network_map, move_trips
from twinlab.explore.kit.time_player import STEPS, TimePlayer
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.explore.views.what_if.places import Pair, Places, Touched
    from twinlab.explore.views.what_if.results.playback import Playback

__all__ = ["HubMap"]

_HEIGHT = 340
_SMALL, _LARGE = 9.0, 44.0
#: Positions of the slider over a future, at most.
_STEPS = 200
#: Milliseconds between two steps while playing.
_SPEED = 250
_PICK = mark("Tap on a place or a link to put it into the change above. Orange is what the scenarios change.")


class HubMap:
    """The map and, once there is a future to play, its slider (``pane``).

    Parameters
    ----------
    places : Places
    on_place : callable
        Called with the name of a place that was tapped.
    on_link : callable
        Called with a pair of names.
    """

    def __init__(self, places: Places, *, on_place: Callable[[str], None], on_link: Callable[[Pair], None]) -> None:
        self._places, self._on_place, self._on_link = places, on_place, on_link
        self._x, self._y = mercator(places.latitude, places.longitude)
        self._index = {name: number for number, name in enumerate(places.names)}
        links = self._segments(places.links)
        self._layers: dict[str, dict[str, Any]] = {"links": links, "targets": links, **self._hubs(None)}
        self._playback: Playback | None = None
        self._map = FigurePane(self._make, height=_HEIGHT)
        self._caption = pmui.Typography(tr(_PICK), variant="body2", margin=(2, 10), sizing_mode="stretch_width")
        self._player = TimePlayer(on_move=self._moved)
        self._player.speed = _SPEED
        self._controls = pn.Column(sizing_mode="stretch_width", visible=False)
        self.pane = pn.Column(
            self._map, self._caption, self._controls, visible=places.located, sizing_mode="stretch_width", margin=(4, 8)
        )

    def mark(self, touched: Sequence[Touched]) -> None:
        """Mark what a plan changes."""
        nodes: dict[str, list[str]] = {}
        pairs: dict[Pair, list[str]] = {}
        for one in touched:
            text = str(html("<b>{{ name }}</b>: {{ text }}", name=one.scenario, text=one.text))
            for node in one.nodes:
                nodes.setdefault(node, []).append(text)
            for pair in one.pairs:
                pairs.setdefault(pair, []).append(text)
        known = {name: texts for name, texts in nodes.items() if name in self._index}
        at = [self._index[name] for name in known]
        drawn = {pair: texts for pair, texts in pairs.items() if {*pair} <= set(self._index)}
        self._change(
            marked={"x": self._x[at], "y": self._y[at], "tip": ["<br>".join(texts) for texts in known.values()]},
            marked_links={**self._segments(list(drawn)), "tip": ["<br>".join(texts) for texts in drawn.values()]},
        )

    def play(self, playback: Playback | None, *, choices: Sequence[Any] = ()) -> None:
        """Play a future, from where the slider is if that is in it; None ends it.

        Parameters
        ----------
        playback : Playback or None
        choices : sequence of widgets
            To choose the future and what is shown of it, above the slider.
        """
        self._playback = playback
        if playback is None:
            self._player.playing = False
            self._controls.visible = False
            self._caption.object = tr(_PICK)
            self._change(**self._hubs(None), trips={}, movers={})
            return
        player, (first, last) = self._player, playback.span
        if player.span != playback.span:
            player.span = playback.span
            seconds = float((last - first) / np.timedelta64(1, "s"))
            player.step = next((one for one in STEPS.values() if seconds / one <= _STEPS), max(STEPS.values()))
        at = player.at if player.at is not None and first <= player.at <= last else first
        if not len(self._controls):
            self._controls[:] = [*choices, player.panel()]
        self._controls.visible = True
        self._change(**playback.trips)
        player.show(at)
        self._moved(at, jump=True)

    def _moved(self, at: np.datetime64, *, jump: bool = False) -> None:
        playback = self._playback
        if playback is None:
            return
        self._change(**self._hubs(playback.at(at)))
        unit = f" ({playback.units})" if playback.units not in {"", "1"} else ""
        self._caption.object = f"{shown_instant(at)} UTC. Circles: {playback.title}{unit}; triangles: trips under way."
        instant = float(at.astype("M8[ns]").astype(np.int64)) / 1e6
        lasting = float(self._player.speed) if self._player.playing and not jump else 0.0
        self._map.change(lambda chart: move_trips(chart, instant, duration=lasting))

    def _change(self, **layers: dict[str, Any]) -> None:
        self._layers |= layers
        self._map.change(lambda chart: fill_network(chart, layers))

    def _make(self, ref: str) -> Any:  # noqa: ARG002  (maps share no ranges)
        return make_network_map(
            self._layers, latitude=self._places.latitude, longitude=self._places.longitude, height=_HEIGHT,
            on_pick=self._picked,
        )  # fmt: skip

    def _picked(self, layer: str, row: int) -> None:
        if layer == "hubs":
            self._on_place(self._places.names[row])
        else:
            self._on_link(self._places.links[row])

    def _segments(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        a, b = ([self._index[pair[end]] for pair in pairs] for end in (0, 1))
        return {"x0": self._x[a], "y0": self._y[a], "x1": self._x[b], "y1": self._y[b]}

    def _hubs(self, values: np.ndarray | None) -> dict[str, dict[str, Any]]:
        """Return the layers of the places, larger where a value is larger."""
        sizes = np.full(len(self._x), 12.0)
        texts = list(self._places.names)
        if values is not None and self._playback is not None:
            share = np.nan_to_num(np.abs(values)) / (self._playback.largest or 1.0)
            sizes = _SMALL + (_LARGE - _SMALL) * np.sqrt(share)
            texts = [
                name if np.isnan(value) else f"{name} {value:,.0f}" for name, value in zip(texts, values, strict=True)
            ]
        tips = [
            str(html("<b>{{ title }}</b><br>{{ text }}", title=title, text=text))
            for title, text in zip(self._places.titles, texts, strict=True)
        ]
        return {
            "hubs": {"x": self._x, "y": self._y, "size": sizes, "tip": tips},
            "names": {"x": self._x, "y": self._y, "text": texts, "above": -sizes / 2 - 3},
        }
