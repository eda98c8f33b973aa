"""A view that answers questions: the plan first, then, when the reader wants it, the answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import panel as pn
import param

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.lineage_pane import can_explain
from twinlab.explore.kit.link import Link
from twinlab.explore.views.asking.field import QuestionField
from twinlab.explore.views.base import on_event_loop
from twinlab.languages import current_language, mark, tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.ask import Answer, Explanation, Finding, Plan, Planner
    from twinlab.explore.views.asking.parts import AskPanel
    from twinlab.model.reader import TwinReader

__all__ = ["AskView"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
#: Answers that stay listed.
_MOST = 20
#: Characters of a sentence on a button.
_LONGEST = 600
_OF_ALL = mark("The answer")


class AskView(pn.viewable.Viewer):
    """A field for questions in words, and a panel with plan and answer; usable in a page, a notebook, or in parts.

    A plan is shown before it runs: pressing Enter once plans, pressing it again, or the button, runs the plan. Questions are planned and
    answered from what ``twin`` shows, in a thread where pages of others are served.

    Parameters
    ----------
    twin : TwinReader
        The twin as the reader sees it.
    planner : Planner, optional
        What proposes plans; by default a parser that knows the words of the twin's model.
    pages : collection of str, optional
        Names of the pages that `asked` can lead to; by default none.
    shortcut : bool
        Whether the key ``/`` goes to the field from everywhere on the page; not in a notebook, which has keys of its own.
    scope : callable, optional
        Returns the asset type, assets and period that findings are about; by default the last week of all.

    Examples
    --------
    >>> from twinlab.testing import FakeTwin
    >>> view = AskView(FakeTwin.example(days=3, trips=10))
    >>> view.propose("How many stations are there?")
    >>> view.answer is None
    True
    >>> view.run()
    >>> view.answer.value
    3
    """

    question = param.String(default="", doc="the question whose plan is shown, for a link")
    turns = param.Integer(default=0, doc="incremented whenever the panel has something new to show")
    took = param.Number(default=None, allow_None=True, doc="seconds until the last answer was there")
    asked = param.Parameter(default=None, allow_None=True, doc="Link of the page that the reader wants to open")

    def __init__(
        self,
        twin: TwinReader,
        *,
        planner: Planner | None = None,
        pages: Collection[str] = (),
        shortcut: bool = False,
        scope: Callable[[], Link] | None = None,
    ) -> None:
        super().__init__()
        self.twin, self.planner, self._pages = twin, planner, frozenset(pages)
        self.plan: Plan | None = None
        self.answer: Answer | None = None
        #: Number -> answer, of this session.
        self.answers: dict[int, Answer] = {}
        self._scope = scope or Link
        # Sentence -> finding, of those that are shown.
        self._findings: dict[str, Finding] = {}
        self.field = QuestionField(shortcut=shortcut, explains=True)
        self.field.listen(
            typed=self._typed, plan=self.propose, run=lambda _: self.run(), explain=lambda _: self.find_out()
        )
        self.body = pn.Column(sizing_mode="stretch_width")
        self._copy_class = f"copy-answer-{self.field.name}"
        self._turn = 0
        self._began = 0.0
        self._typing = 0
        self._panel: AskPanel | None = None

    # -- what a reader does -------------------------------------------------------------------------------------------

    def propose(self, question: str) -> None:
        """Plan a question and show the plan; nothing is run."""
        question = " ".join(question.split())
        if not question:
            return
        panel = self._shown()
        self.plan = self.answer = None
        panel.clear()
        self.param.update(question=question, turns=self.turns + 1)
        self.field.param.update(text=question, planned="")
        self._do(tr("Reading the question …"), partial(self._plan, question), self._planned)

    def run(self) -> None:
        """Run the plan that is shown and show its answer."""
        plan = self.plan
        if plan is None:
            return
        panel = self._shown()
        panel.clear_answer()
        panel.run.disabled = True
        self._began = time.monotonic()
        self._do(tr("Reading the data …"), partial(self._answer, plan), self._answered)

    def find_out(self) -> None:
        """Show three findings about what the page shows: the largest change, the worst exception, how much is known."""
        panel = self._shown()
        self.plan = self.answer = None
        panel.clear()
        self.param.update(question="", turns=self.turns + 1)
        self.field.planned = ""
        self._do(tr("Looking for findings …"), partial(self._explain, self._scope(), current_language()), self._found)

    def choose(self, text: str) -> None:
        """Plan a question that is offered, or show the plan behind a finding, or the rows of one without a plan."""
        finding = self._findings.get(text)
        if finding is None:
            self.propose(text)
        elif finding.plan is not None:
            self._shown().clear()
            self.param.update(question="", turns=self.turns + 1)
            self.answer = None
            self._planned(finding.plan)
        elif finding.why is not None and can_explain(self.twin):
            arguments = dict(finding.why)
            self._do(tr("Reading where it comes from …"), partial(self._why, arguments), self._explained, keep=True)

    def explain(self, name: str) -> None:
        """Show what is behind a number of the answer: its rows, mapping and flags."""
        arguments = dict(self.reasons().get(name, {}))
        if arguments:
            self._do(tr("Reading where it comes from …"), partial(self._why, arguments), self._explained, keep=True)

    def reasons(self) -> dict[str, Any]:
        """Return name -> arguments of ``twin.why``, of the numbers of the answer that can be explained."""
        evidence = None if self.answer is None else self.answer.evidence
        if evidence is None or not can_explain(self.twin):
            return {}
        return ({} if evidence.why is None else {_OF_ALL: evidence.why}) | dict(evidence.each)

    def show_earlier(self, number: int) -> None:
        """Show an earlier answer of this session again, with its plan."""
        answer = self.answers.get(number)
        if answer is None or answer.plan is None:
            return
        self._turn += 1
        self.plan = answer.plan
        self._shown().clear()
        self.param.update(question=answer.question, turns=self.turns + 1)
        self.field.param.update(text=answer.question, planned=answer.plan.question)
        self._show(answer, None)

    def link(self) -> Link | None:
        """Return the link of the page that shows what the plan reads; None without one that the reader opens."""
        from twinlab.explore.views.asking.links import plan_link  # noqa: PLC0415  (loads the planner)

        if self.plan is None:
            return None
        table = None if self.answer is None else self.answer.table
        assets = tuple(map(str, table["asset"].head(6))) if table is not None and "asset" in table else ()
        found = plan_link(self.plan, self.twin.model, assets=assets)
        return found if found is not None and found.page in self._pages else None

    # -- work, in a thread where there is an event loop ---------------------------------------------------------------

    def _plan(self, question: str) -> Plan | Answer:
        from twinlab.ask.asking import refusal  # noqa: PLC0415  (loaded with the first question, not with the page)
        from twinlab.ask.errors import NotUnderstoodError  # noqa: PLC0415
        from twinlab.ask.proposing import propose  # noqa: PLC0415

        try:
            return propose(self.twin, question, planner=self.planner)
        except NotUnderstoodError as error:
            return refusal(self.twin, question, error)

    def _answer(self, plan: Plan) -> tuple[Answer, hv.core.Dimensioned | None]:
        from twinlab.ask.asking import run_plan  # noqa: PLC0415  (loaded with the first question)
        from twinlab.explore.views.asking.pictures import answer_picture  # noqa: PLC0415

        answer = run_plan(self.twin, plan)
        return answer, answer_picture(answer, self.twin)

    def _explain(self, scope: Link, language: str) -> Explanation:
        from twinlab.ask.findings.explaining import explain  # noqa: PLC0415  (loaded with the first findings)
        from twinlab.ask.languages import LANGUAGES  # noqa: PLC0415

        on = scope.asset_type if scope.asset_type in self.twin.model.asset_types else None
        start, stop = scope.window or (None, None)
        return explain(
            self.twin,
            on=on,
            assets=scope.assets if on is not None else None,
            start=start,
            stop=stop,
            language=language if language in LANGUAGES else "en",
        )

    def _why(self, arguments: dict[str, Any]) -> Any:
        return self.twin.why(**arguments)  # type: ignore[attr-defined]  # `can_explain` was asked

    def _do(self, busy: str, work: Callable[[], _T], show: Callable[[_T], None], *, keep: bool = False) -> None:
        """Do slow work and show what it gave, unless the reader has asked for something else meanwhile."""
        from twinlab.explore.views.asking.texts import busy_html  # noqa: PLC0415  (loads the planner)

        self._turn += 1
        self._shown().say(busy_html(busy))
        self.field.status = busy
        later = partial(self._finish, self._turn, show, keep=keep)
        if pn.state.curdoc is not None and on_event_loop():
            pn.state.execute(partial(self._in_thread, work, later), schedule=True)
        else:
            later(*_tried(work))

    async def _in_thread(self, work: Callable[[], _T], later: Callable[[_T | None, str], None]) -> None:
        later(*await asyncio.to_thread(_tried, work))

    def _finish(self, turn: int, show: Callable[[_T], None], found: _T | None, fault: str, *, keep: bool) -> None:
        from twinlab.explore.views.asking.texts import failed_html  # noqa: PLC0415  (loads the planner)

        if turn != self._turn:
            return
        self.field.status = ""
        panel = self._shown()
        panel.say(failed_html(fault) if fault else "")
        panel.run.disabled = False
        if not fault and found is not None:
            show(found)
        elif not keep:
            self.turns += 1

    # -- showing ------------------------------------------------------------------------------------------------------

    def _planned(self, found: Plan | Answer) -> None:
        from twinlab.ask.answer import Answer  # noqa: PLC0415  (loaded with the first question)

        panel = self._shown()
        if isinstance(found, Answer):
            from twinlab.explore.views.asking.texts import answer_html  # noqa: PLC0415  (the same)

            self.answer = found
            panel.show_answer(answer_html(found), "", None)
            panel.show_offers(found.suggestions)
            return
        self.plan = found
        self._show_plan(ran=False)
        self.field.planned = found.question

    def _found(self, found: Explanation) -> None:
        from twinlab.explore.views.asking.texts import findings_html  # noqa: PLC0415  (loaded with the first findings)

        self._findings = {one.sentence[:_LONGEST]: one for one in found if one.plan is not None or one.why is not None}
        panel = self._shown()
        panel.show_answer(findings_html(found), "", None)
        panel.show_offers(list(self._findings))

    def _show_plan(self, *, ran: bool) -> None:
        from twinlab.ask.plans.code import python_code  # noqa: PLC0415  (loaded with the first question)
        from twinlab.explore.views.asking.texts import plan_html  # noqa: PLC0415

        if self.plan is None:
            return
        opens = str(getattr(self.twin, "open_code", "") or "")
        code = "\n".join(text for text in (opens, python_code(self.plan)) if text)
        self.field.copying = {self._copy_class: code}
        self._shown().show_plan(plan_html(self.plan, self.twin.model, ran=ran), code, ran=ran)

    def _answered(self, found: tuple[Answer, hv.core.Dimensioned | None]) -> None:
        answer, picture = found
        self._list(answer)
        self._show(answer, picture)
        self.took = time.monotonic() - self._began

    def _list(self, answer: Answer) -> None:
        """List an answer with those of this session; the last one to a question counts."""
        same = [number for number, one in self.answers.items() if one.plan == answer.plan]
        number = max(self.answers, default=0) + 1
        self.answers = {key: one for key, one in self.answers.items() if key not in same} | {number: answer}
        for key in list(self.answers)[:-_MOST]:
            del self.answers[key]

    def _show(self, answer: Answer, picture: hv.core.Dimensioned | None) -> None:
        from twinlab.explore.views.asking.texts import answer_html, table_html  # noqa: PLC0415  (loads the planner)

        panel = self._shown()
        self.answer = answer
        self._show_plan(ran=True)
        panel.show_answer(answer_html(answer), table_html(answer.table), picture)
        panel.show_why(list(self.reasons()))
        panel.open.visible = self.link() is not None
        panel.show_earlier(self.answers)

    def _explained(self, found: Any) -> None:
        self._shown().lineage.show(found)

    def _shown(self) -> AskPanel:
        """Return the panel, made with the first question."""
        if self._panel is None:
            from twinlab.explore.views.asking.parts import AskPanel  # noqa: PLC0415  (made when it is needed)

            self._panel = AskPanel(
                self.twin,
                copy_class=self._copy_class,
                on_run=self.run,
                on_open=self._open,
                on_why=self.explain,
                on_suggestion=self.choose,
                on_earlier=self.show_earlier,
            )
            self.body[:] = self._panel.parts
        return self._panel

    def _open(self) -> None:
        self.asked = None
        self.asked = self.link()

    # -- completion ---------------------------------------------------------------------------------------------------

    def complete(self, text: str) -> list[str]:
        """Return ways to go on with a question, in the words that this reader sees."""
        from twinlab.ask.proposing import completions  # noqa: PLC0415  (loaded when somebody types)

        return completions(self.twin, text)

    def _typed(self, text: str) -> None:
        """Offer completions of what is being typed, unless more was typed meanwhile."""
        self._typing += 1
        if pn.state.curdoc is not None and on_event_loop():
            pn.state.execute(partial(self._complete_later, self._typing, text), schedule=True)
        else:
            self._offer(text, *_tried(partial(self.complete, text)))

    async def _complete_later(self, typing: int, text: str) -> None:
        if typing != self._typing:
            return
        found = await asyncio.to_thread(_tried, partial(self.complete, text))
        if typing == self._typing:
            self._offer(text, *found)

    def _offer(self, text: str, items: list[str] | None, _fault: str) -> None:
        self.field.offers = {"text": text, "items": items or []}

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.field, self.body, sizing_mode="stretch_width")


def _tried(work: Callable[[], _T]) -> tuple[_T | None, str]:
    """Return what work gives and "", or None and why it failed."""
    try:
        return work(), ""
    except READING_ERRORS as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001  (a fault of somebody's planner, logged and shown, isn't one of the page)
        _LOG.exception("a question failed")
        return None, tr("Something went wrong and was logged: {kind}", kind=type(error).__name__)
