"""Planners: from a question in words to a plan. `WordPlanner` needs no language model."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import pandas as pd

from twinlab.ask.choosing.choose import choose
from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.languages import LANGUAGES, load_language
from twinlab.ask.parsing.frame import Frame, read_frame
from twinlab.ask.parsing.items import read_items
from twinlab.ask.parsing.vocabulary import Vocabulary, vocabulary, words_of
from twinlab.ask.plans.faults import check_plan
from twinlab.ask.plans.plan import Plan
from twinlab.ask.present import data_span, events_span
from twinlab.ask.suggestions import complete, misspelt, nearest_questions
from twinlab.errors import UnknownTermError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.model.reader import TwinReader

__all__ = ["Planner", "WordPlanner", "data_span"]

_LONGEST = 2_000


@runtime_checkable
class Planner(Protocol):
    """Proposes a plan for a question. It never runs one: each plan is checked against the twin and shown first."""

    def plan(self, question: str, twin: TwinReader, *, now: pd.Timestamp, language: str | None = None) -> Plan:
        """Return a plan, or raise `NotUnderstoodError`."""


@dataclass
class WordPlanner:
    """Plans from the words of the twin's own model, in English or German; deterministic.

    Every word of a question has to be a part of the plan, or one that adds nothing; else the question isn't understood.
    """

    # A reader is referred to weakly: one of a session that has ended isn't kept in memory with its vocabulary.
    _known: dict[tuple[int, str], tuple[weakref.ref[TwinReader], Vocabulary]] = field(default_factory=dict)

    def words(self, twin: TwinReader, language: str) -> Vocabulary:
        """Return the vocabulary of a twin, made once for each reader and language."""
        key = (id(twin), language)
        if key not in self._known or self._known[key][0]() is not twin:
            reader = weakref.ref(twin, lambda _: self._known.pop(key, None))
            self._known[key] = (reader, vocabulary(twin, load_language(language)))
        return self._known[key][1]

    def plan(self, question: str, twin: TwinReader, *, now: pd.Timestamp, language: str | None = None) -> Plan:
        """Return the plan of a question.

        Parameters
        ----------
        question : str
        twin : TwinReader
        now : Timestamp
            What "today" and "last week" count from; naive UTC.
        language : str, optional
            Such as "en"; by default the one that has more of the question's words.

        Raises
        ------
        NotUnderstoodError
            If the question isn't understood; says which words aren't, and shows questions that are.
        """
        question = " ".join(question[:_LONGEST].split())
        codes = [language] if language is not None else self._languages(question, twin)
        failed: NotUnderstoodError | None = None
        for code in codes:
            try:
                return self._plan(question, twin, now, code)
            except NotUnderstoodError as error:
                failed = failed or error.in_language(code, self._offers(question, twin, now, code))
        for code in codes:
            plan = self._of_misspelt(question, twin, now, code)
            if plan is not None:
                return plan
        if failed is None:
            msg = f"expected a language, got {language!r}"
            raise UnknownTermError(msg)
        raise failed

    def _offers(self, question: str, twin: TwinReader, now: pd.Timestamp, code: str) -> list[str]:
        """Return questions that are offered; the one with corrected words only if it is understood."""
        corrected, *others = nearest_questions(question, self.words(twin, code), twin.model, count=4)
        try:
            self._plan(corrected, twin, now, code)
        except NotUnderstoodError:
            return others
        return [corrected, *others][:3]

    def _of_misspelt(self, question: str, twin: TwinReader, now: pd.Timestamp, code: str) -> Plan | None:
        """Return the plan of a question whose misspelt words are corrected, with a note of them; None if there is none."""
        corrected, changed = misspelt(question, self.words(twin, code))
        if not changed:
            return None
        try:
            plan = self._plan(corrected, twin, now, code)
        except NotUnderstoodError:
            return None
        say = load_language(code).sentence
        notes = [say("note_corrected", text=text, word=word) for text, word in changed]
        return plan.model_copy(update={"question": question, "notes": [*notes, *plan.notes]})

    def complete(self, text: str, twin: TwinReader, *, count: int = 8) -> list[str]:
        """Return ways to go on with a question that is being typed; questions that are understood for an empty one.

        In the language that the text has; in any, if only another one goes on.
        """
        text = text[:_LONGEST].lstrip()
        codes = self._languages(text, twin) if text else list(LANGUAGES)
        if not text:
            return nearest_questions("", self.words(twin, codes[0]), twin.model, count=count)
        return next((found for code in codes if (found := complete(text, self.words(twin, code), count=count))), [])

    def _languages(self, question: str, twin: TwinReader) -> Sequence[str]:
        """Return the languages, the likeliest first: the one with fewer unknown words, then more words of its own."""

        def misses(code: str) -> tuple[int, int]:
            items = read_items(question, self.words(twin, code)).all
            own = sum(one.text.count(" ") + 1 for one in items if one.of_kind("symbol"))
            return sum(one.kind == "unknown" for one in items), -own

        return sorted(LANGUAGES, key=misses)

    def _plan(self, question: str, twin: TwinReader, now: pd.Timestamp, code: str) -> Plan:
        language, words = load_language(code), self.words(twin, code)
        span = data_span(twin, now)

        def read(words: Vocabulary) -> Frame:
            return read_frame(
                read_items(question, words), twin.model, now=now, data=span, language=language,
                all_events=lambda on: events_span(twin, on, span),
                is_event=lambda on, text: bool((twin.events(on)["event_id"] == text).any()),
            )  # fmt: skip

        try:
            frame = read(words)
            call, versus, contrast = choose(frame)
        except NotUnderstoodError as error:
            if error.key not in ("kpi_measure", "words", "no_per"):
                raise
            # "How many cancelled flights" asks for a number of flights, not for the share that is the KPI; "how long was it warm" isn't
            # about the KPI of how long parcels stayed.
            frame = read(words.without("kpi"))
            try:
                call, versus, contrast = choose(frame)
            except NotUnderstoodError:
                raise error from None
        for item in frame.items.all:
            if item.used and item.kind == "phrase" and tuple(words_of(item.text)) in words.short:
                name, label = words.short[tuple(words_of(item.text))]
                if f'"{name}"' not in call.model_dump_json():
                    continue
                frame.note("name", text=item.text, name=name, label=label)
        notes = [language.sentence(f"note_{key}", **values) for key, values in frame.notes]
        plan = Plan(
            question=question, language=code, call=call, versus=versus, contrast=contrast, unit=frame.unit, notes=notes
        )
        check_plan(plan, twin.model)
        return plan
