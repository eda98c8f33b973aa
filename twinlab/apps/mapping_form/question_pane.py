"""The form's pane of open questions: a button for each choice, and a field where none fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import ipywidgets as widgets

from twinlab.apps.mapping_form.answers import Asked, contradiction, typed
from twinlab.apps.mapping_form.browser_zone import BrowserZone
from twinlab.apps.mapping_form.html import heading, message, muted, question_html
from twinlab.apps.mapping_form.suggestions import zones
from twinlab.languages import mark, tr
from twinlab.model.units import known_units

__all__ = ["QuestionPane", "QuestionRow", "count_text"]

#: Questions shown at once: each has several widgets, and the next ones follow as these are answered.
_MOST = 25
_LABELS = {
    "unit": mark("Another unit"),
    "zone": mark("Another zone"),
    "list": mark("Other values"),
    "number": mark("Another value"),
}


class Host(Protocol):
    """What the pane needs of the form."""

    updating: bool

    def answer(self, asked: Asked, value: object) -> None:
        """Write the answer of a question, or show the error."""

    def keep(self, asked: Asked) -> None:
        """Accept what was drafted."""


def count_text(count: int) -> str:
    """Return the number of open questions as text.

    >>> count_text(0), count_text(1), count_text(12)
    ('No open questions', '1 open question', '12 open questions')
    """
    return f"{count or 'No'} open question{'' if count == 1 else 's'}"


class QuestionRow(widgets.VBox):
    """The widgets of one question."""

    def __init__(self, asked: Asked, host: Host, zone: str) -> None:
        self._host, self.asked = host, asked
        where = ", ".join(path for _, path in asked.places)
        self.buttons = {one.label: self._button(one.label, where, one.value) for one in asked.choices}
        if asked.field == "zone" and zone and zone not in self.buttons:
            self.buttons[zone] = self._button(tr("{zone} (this browser)", zone=zone), where, zone)
        self.keep: widgets.Button | None = None
        if asked.keep:
            self.keep = widgets.Button(
                description=asked.keep,
                icon="check",
                tooltip=f"{asked.keep}: {where}",
                layout=widgets.Layout(width="auto"),
            )
            self.keep.on_click(lambda _: host.keep(self._wanted()))
        self.wider = widgets.Checkbox(
            description=tr("for all tables of this source"), indent=False, layout=widgets.Layout(width="auto")
        )
        self.field = self._field(where)
        line = [*([self.keep] if self.keep is not None else []), *self.buttons.values()]
        answers = widgets.HBox(
            [*line, *([self.field] if self.field is not None else []), *([self.wider] if asked.wider else [])],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 4px"),
        )
        question = asked.question
        ask = f"{asked.subject}: {question.ask}" if asked.subject else question.ask
        text = question_html(ask, evidence=question.evidence, places=asked.places)
        super().__init__(children=[widgets.HTML(text), answers])
        self.add_class("tl-question")

    def _button(self, label: str, where: str, value: str | float | bool) -> widgets.Button:  # noqa: FBT001
        made = widgets.Button(description=label, tooltip=f"{label}: {where}", layout=widgets.Layout(width="auto"))
        absent = contradiction(self.asked, str(value)) if self.asked.field == "zone" else ""
        if absent:
            made.description, made.icon = (
                tr("{label}: {absent} doesn't exist", label=label, absent=absent),
                "exclamation-triangle",
            )
        made.on_click(lambda _: self._host.answer(self._wanted(), value))
        return made

    def _wanted(self) -> Asked:
        """Return the question, with the places of other tables if those are wanted too."""
        asked = self.asked
        return replace(asked, places=(*asked.places, *asked.wider)) if asked.wider and self.wider.value else asked

    def _field(self, where: str) -> widgets.Text | None:
        kind = self.asked.field
        if not kind:
            return None
        label = tr(_LABELS.get(kind, mark("Another")))
        given: dict[str, Any] = {
            "continuous_update": False,
            "placeholder": self.asked.value,
            "tooltip": f"{label}: {where}",
        }
        layout = widgets.Layout(width="auto", flex="0 1 300px")
        style = {"description_width": "initial"}
        if kind in ("unit", "zone"):
            options = (*self.asked.suggestions, *known_units()) if kind == "unit" else zones()
            made = widgets.Combobox(
                description=label, options=tuple(dict.fromkeys(options)), style=style, layout=layout, **given
            )
        else:
            made = widgets.Text(description=label, style=style, layout=layout, **given)
        made.observe(self._typed, "value")
        return made

    def _typed(self, change: dict[str, Any]) -> None:
        if change["new"].strip() and not self._host.updating:
            self._host.answer(self._wanted(), typed(self.asked, change["new"]))


class QuestionPane(widgets.VBox):
    """All open questions of the mapping and the model.

    Parameters
    ----------
    host : Host
        The form.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.rows: list[QuestionRow] = []
        self._asked: Sequence[Asked] | None = ()
        self._head, self._note = widgets.HTML(), widgets.HTML()
        self._zone = BrowserZone(lambda _: self._fill())
        self._list = widgets.VBox()
        super().__init__(children=[self._head, self._note, self._list, self._zone])

    @property
    def count(self) -> int | None:
        """Number of open questions; None while mapping or model have errors."""
        return None if self._asked is None else sum(len(one.places) for one in self._asked)

    def show(self, asked: Sequence[Asked] | None) -> None:
        """Show the open questions; None while mapping or model have errors, so that they aren't known."""
        if asked != self._asked or not self._head.value:
            self._asked = asked
            self._fill()

    def _fill(self) -> None:
        asked = self._asked
        shown = (asked or ())[:_MOST]
        self.rows = [QuestionRow(one, self._host, self._zone.zone) for one in shown]
        self._list.children = self.rows
        if asked is None:
            self._head.value = heading(tr("Questions"))
            self._note.value = muted(tr("They are listed again once mapping and model have no errors."))
            return
        said = tr("what the files don't state; an answer changes only its value in the YAML below")
        self._head.value = heading(tr("Questions"), note=said if asked else "")
        if not asked:
            self._note.value = message(tr("No open questions: units, zones and meanings are all stated."), kind="ok")
        elif len(asked) > len(shown):
            self._note.value = muted(
                tr(
                    "The first {count} of {count2}; more follow as these are answered.",
                    count=len(shown),
                    count2=len(asked),
                )
            )
        else:
            self._note.value = ""
