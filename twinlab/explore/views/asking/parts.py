"""The panel below the field: plan, answer, picture, table, buttons, and earlier answers; made once, then updated in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.lineage_pane import LineagePane
from twinlab.explore.kit.panes import Html, code_html
from twinlab.languages import tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.ask import Answer
    from twinlab.model.reader import TwinReader

__all__ = ["AskPanel"]

#: Questions that are offered at once.
_OFFERED = 3
_WIDE = {"textTransform": "none", "justifyContent": "flex-start", "textAlign": "left"}
#: Earlier answers in the list; long questions wrap.
_LIST = {"& .MuiListItemText-primary, & .MuiListItemText-secondary": {"overflowWrap": "anywhere"}}


class AskPanel:
    """Panes of one reader's questions.

    Parameters
    ----------
    twin : TwinReader
    copy_class : str
        CSS class of the button that copies Python.
    on_run, on_open, on_why, on_suggestion, on_earlier : callable
        What the buttons do: run the plan, open the page of the answer, show what is behind the number with a name, plan a question,
        show the earlier answer with a number.
    """

    def __init__(
        self,
        twin: TwinReader,
        *,
        copy_class: str,
        on_run: Callable[[], object],
        on_open: Callable[[], object],
        on_why: Callable[[str], object],
        on_suggestion: Callable[[str], object],
        on_earlier: Callable[[int], object],
    ) -> None:
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (2, 4)}
        self.status, self.plan, self.answer, self.table, self.code = (Html("", **wide) for _ in range(5))
        self.run = _button(tr("Run"), "play_arrow", lambda _: on_run(), variant="contained")
        self.offers = [_button("", "", self._offered(place, on_suggestion), sx=_WIDE) for place in range(_OFFERED)]
        self.why = pmui.MenuButton(
            label=tr("Why"), icon="account_tree", items=[], variant="outlined", size="small", margin=4, visible=False
        )
        self.why.on_click(lambda item: on_why(str(item.get("name"))))
        self.open = _button(tr("Open the page"), "open_in_new", lambda _: on_open())
        self.python = _button(tr("Python"), "code", self._toggle)
        self.copy = _button(tr("Copy Python"), "content_copy", self._copied)
        self.copy.css_classes = [copy_class]
        self.lineage = LineagePane(twin)
        # An empty pane of HoloViews has no size; it is filled with the first picture.
        self.picture = pn.Column(sizing_mode="stretch_width", visible=False)
        self._drawn: pn.pane.HoloViews | None = None
        self._title = pmui.Typography(tr("Answers of this visit"), variant="h6", margin=(14, 4, 0, 4), visible=False)
        self.earlier = pmui.MenuList(
            items=[], highlight=False, sx=_LIST, sizing_mode="stretch_width", margin=0, visible=False
        )
        self.earlier.on_click(lambda item: on_earlier(int(item["answer"])) if isinstance(item.get("answer"), int) else None)  # fmt: skip
        self._buttons = [self.why, self.open, self.python, self.copy]
        self.parts: list[pn.viewable.Viewable] = [
            self.plan,
            self.run,
            self.status,
            self.answer,
            *self.offers,
            self.picture,
            self.table,
            pn.FlexBox(*self._buttons, sizing_mode="stretch_width", margin=0),
            self.lineage.pane,
            self.code,
            self._title,
            self.earlier,
        ]
        self.clear()

    def clear(self) -> None:
        """Show nothing but the earlier answers."""
        _set(self.plan, "")
        _set(self.status, "")
        self.run.visible = False
        self.clear_answer()

    def clear_answer(self) -> None:
        """Show no answer."""
        _set(self.answer, "")
        _set(self.table, "")
        _set(self.code, "")
        self.python.label = tr("Python")
        self.lineage.close()
        self.picture.visible = False
        for one in (*self._buttons, *self.offers):
            one.visible = False

    def show_plan(self, text: str, code: str, *, ran: bool) -> None:
        """Show a plan in plain words, with the button that runs it."""
        _set(self.status, "")
        _set(self.plan, text)
        self.run.param.update(visible=True, label=tr("Run again") if ran else tr("Run"), disabled=False)
        self._code = code
        for one in (self.python, self.copy):
            one.visible = bool(code)
        self.copy.label = tr("Copy Python")

    def show_answer(self, text: str, table: str, picture: hv.core.Dimensioned | None) -> None:
        """Show an answer, or why there is none."""
        _set(self.status, "")
        _set(self.answer, text)
        _set(self.table, table)
        if picture is not None:
            self._draw(picture)
        self.picture.visible = picture is not None

    def show_why(self, names: Sequence[str]) -> None:
        """Offer to show what is behind numbers."""
        self.why.param.update(items=[{"label": tr(name), "name": name} for name in names], visible=bool(names))

    def show_offers(self, questions: Sequence[str]) -> None:
        """Offer questions as buttons."""
        for place, button in enumerate(self.offers):
            text = questions[place] if place < len(questions) else ""
            button.param.update(label=text, visible=bool(text))

    def show_earlier(self, answers: Mapping[int, Answer]) -> None:
        """List earlier answers, the newest first."""
        items = [
            {"label": one.question, "secondary": one.sentence, "icon": "history", "answer": number}
            for number, one in reversed(list(answers.items()))
        ]
        self.earlier.param.update(items=items, visible=bool(items))
        self._title.visible = bool(items)

    def say(self, text: str) -> None:
        """Show HTML in place of the answer: what is being done, or why it failed."""
        _set(self.status, text)

    def _draw(self, picture: hv.core.Dimensioned) -> None:
        if self._drawn is None:
            self._drawn = pn.pane.HoloViews(picture, sizing_mode="stretch_width", margin=(4, 0), linked_axes=False)
            self.picture.append(self._drawn)
        else:
            self._drawn.object = picture

    def _offered(self, place: int, act: Callable[[str], object]) -> Callable[[Any], object]:
        return lambda _: act(str(self.offers[place].label))

    def _copied(self, _: object) -> None:
        # The click itself copies, in the browser.
        self.copy.label = tr("Copied")

    def _toggle(self, _: object) -> None:
        shown = bool(self.code.object)
        _set(self.code, "" if shown else code_html(self._code))
        self.python.label = tr("Python") if shown else tr("Hide Python")


def _button(
    label: str, icon: str, act: Callable[[Any], object], *, variant: str = "outlined", sx: dict[str, Any] | None = None
) -> pmui.Button:
    button = pmui.Button(
        label=label, icon=icon or None, variant=variant, size="small", margin=4, visible=False,
        sx={"textTransform": "none"} if sx is None else sx,
    )  # fmt: skip
    button.on_click(act)
    return button


def _set(pane: Html, text: str) -> None:
    pane.param.update(object=text, visible=bool(text))
