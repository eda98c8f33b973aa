"""Dialog for choosing and ordering the columns of the exceptions table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.pages.now.rows import COLUMNS, EXTRA, default_columns
from twinlab.languages import mark, tr

__all__ = ["ColumnsDialog"]

#: Height of a line in pixels.
_LINE = 38


class ColumnsDialog:
    """Dialog with a checkbox and two arrows for each column; every change takes effect at once.

    Parameters
    ----------
    columns : sequence of str
        The shown columns, in their order.
    on_change : callable
        Called with the shown columns after each change.
    extra : collection of str
        Columns of `EXTRA` that the twin has.
    """

    def __init__(
        self, columns: Sequence[str], *, on_change: Callable[[list[str]], None], extra: Collection[str] = ()
    ) -> None:
        self._on_change, self._extra = on_change, extra
        self._order = self._all(columns)
        self._shown = set(columns)
        # Its final height from the start: a growing dialog would move its lines under the pointer.
        self._list = pn.Column(sizing_mode="stretch_width", min_height=_LINE * len(COLUMNS))
        default = pmui.Button(label=tr("Default columns"), variant="text", size="small")
        default.on_click(lambda _: self.set(default_columns(extra)))
        done = pmui.Button(label=tr("Done"), variant="contained", size="small")
        done.on_click(lambda _: self.close())
        self.dialog: Any = pmui.Dialog(
            self._list,
            pn.FlexBox(default, done, justify_content="space-between", sizing_mode="stretch_width"),
            title=tr("Columns"),
            close_on_click=True,
        )
        self.button = pmui.Button(label=tr("Columns"), icon="view_column", variant="outlined", size="small", margin=4)
        self.button.on_click(lambda _: self.open())

    @property
    def columns(self) -> list[str]:
        """The shown columns, in their order."""
        return [name for name in self._order if name in self._shown]

    def open(self) -> None:
        """Open the dialog."""
        self._fill()
        self.dialog.open = True

    def close(self) -> None:
        """Close the dialog."""
        self.dialog.open = False

    def set(self, columns: Sequence[str]) -> None:
        """Show these columns in this order."""
        self._order, self._shown = self._all(columns), set(columns)
        self._changed()

    def show(self, name: str, *, shown: bool) -> None:
        """Show or hide a column; the last shown column can't be hidden."""
        after = (self._shown | {name}) if shown else (self._shown - {name})
        if after:
            self._shown = after
            # The list isn't rebuilt: the checkbox under the pointer keeps the focus.
            self._on_change(self.columns)
        else:
            self._fill()

    def move(self, name: str, *, by: int) -> None:
        """Move a column by one place, towards the front (-1) or the end (1)."""
        place = self._order.index(name)
        other = min(max(place + by, 0), len(self._order) - 1)
        self._order.insert(other, self._order.pop(place))
        self._changed()

    def _changed(self) -> None:
        self._fill()
        self._on_change(self.columns)

    def _fill(self) -> None:
        self._list[:] = [self._line(place, name) for place, name in enumerate(self._order)]

    def _line(self, place: int, name: str) -> pn.Row:
        tick = pmui.Checkbox(
            label=tr(COLUMNS[name]), value=name in self._shown, size="small", align="center", width=180
        )
        tick.param.watch(partial(self._ticked, name), "value")
        arrows = []
        for by, icon, direction, end in (
            (-1, "arrow_upward", mark("up"), 0),
            (1, "arrow_downward", mark("down"), len(self._order) - 1),
        ):
            arrow = pmui.Button(
                label=tr(direction),
                icon=icon,
                variant="text",
                size="small",
                margin=0,
                disabled=place == end,
                description=tr("Move {name} {direction}", name=tr(COLUMNS[name]), direction=tr(direction)),
            )
            arrow.on_click(partial(self._moved, name, by))
            arrows.append(arrow)
        return pn.Row(tick, *arrows, margin=0, height=_LINE)

    def _ticked(self, name: str, event: Any) -> None:
        self.show(name, shown=bool(event.new))

    def _moved(self, name: str, by: int, _: object) -> None:
        self.move(name, by=by)

    def _all(self, columns: Sequence[str]) -> list[str]:
        """Return all columns: the shown ones in their order, then the others."""
        others = (name for name in COLUMNS if name not in columns)
        return [*columns, *(name for name in others if name in self._extra or name not in EXTRA)]
