"""Planners of scenarios: from a text to changes. `WordScenarioPlanner` needs no language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from twinlab.ask.drafting.changes import changes_of
from twinlab.ask.drafting.clauses import Clause, read_clauses
from twinlab.ask.drafting.names import network_words
from twinlab.ask.drafting.words import ScenarioLanguage, scenario_language
from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.languages import LANGUAGES
from twinlab.ask.parsing.tokens import tokenize

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.ask.parsing.vocabulary import Vocabulary
    from twinlab.simulate.network.network import Network

__all__ = ["Proposal", "ScenarioPlanner", "WordScenarioPlanner", "examples"]

#: Characters of a text that are read.
LONGEST = 1_000
#: Changes of one text.
MOST_CHANGES = 50


@dataclass(frozen=True)
class Proposal:
    """Changes that a planner proposes for a text.

    Parameters
    ----------
    changes : sequence of mapping
        As YAML has them; they are checked afterwards, whoever proposes them.
    read : sequence of (str, int)
        Part of the text, and how many changes it is, in order.
    notes : sequence of str
        What was assumed.
    language : str
        Code of the text's language.
    """

    changes: Sequence[Mapping[str, Any]]
    read: Sequence[tuple[str, int]] = ()
    notes: Sequence[str] = ()
    language: str = "en"


@runtime_checkable
class ScenarioPlanner(Protocol):
    """Proposes changes for a text. It never runs them: each proposal is checked against the network and shown first."""

    def propose(
        self, text: str, network: Network, *, now: pd.Timestamp, titles: Mapping[str, str], language: str | None = None
    ) -> Proposal:
        """Return a proposal, or raise `NotUnderstoodError`."""


@dataclass
class WordScenarioPlanner:
    """Reads changes from the words of a network, in English or German; deterministic.

    Every word has to be a part of a change, or one that adds nothing; else the text isn't understood.
    """

    languages: Sequence[str] = field(default_factory=lambda: tuple(LANGUAGES))

    def propose(
        self, text: str, network: Network, *, now: pd.Timestamp, titles: Mapping[str, str], language: str | None = None
    ) -> Proposal:
        """Return the changes that a text says.

        Parameters
        ----------
        text : str
        network : Network
            What its names refer to.
        now : Timestamp
            What "tomorrow" and "next week" count from: the start of the simulation; naive UTC.
        titles : mapping of node to str
            Names of nodes for people.
        language : str, optional
            Such as "en"; by default the first in which the text is understood.

        Raises
        ------
        NotUnderstoodError
            If the text isn't understood; says why, and has texts that are.
        """
        if len(text) > LONGEST:
            raise NotUnderstoodError(key="too_long", values={"most": f"{LONGEST:,}"}).in_language(language or "en", ())
        failed: list[tuple[int, NotUnderstoodError]] = []
        for code in [language] if language is not None else self.languages:
            of = scenario_language(code)
            words = network_words(network, of.language, titles)
            try:
                return self._read(text, network, words, of, now)
            except NotUnderstoodError as error:
                unknown = sum(not words.look_up([one.key], [one.text]) for one in tokenize(text) if one.kind == "word")
                failed.append((unknown, error.in_language(code, _corrected(text, words))))
        raise min(failed, key=lambda one: one[0])[1]

    def _read(
        self, text: str, network: Network, words: Vocabulary, language: ScenarioLanguage, now: pd.Timestamp
    ) -> Proposal:
        clauses = read_clauses(text, words, network, now=now)
        if not clauses:
            raise NotUnderstoodError(key="empty")
        changes: list[Mapping[str, Any]] = []
        read: list[tuple[str, int]] = []
        _share_windows(clauses)
        before: Clause | None = None
        for clause in clauses:
            found = changes_of(clause, before)
            changes += found
            read.append((clause.text, len(found)))
            before = clause
        if len(changes) > MOST_CHANGES:
            raise NotUnderstoodError(key="too_many", values={"most": str(MOST_CHANGES)})
        notes = dict.fromkeys(
            language.sentence(f"note_{key}", **values) for one in clauses for key, values in one.notes
        )
        return Proposal(tuple(changes), tuple(read), tuple(notes), language.language.code)


def _share_windows(clauses: Sequence[Clause]) -> None:
    """Let a clause without a time have the one that the text names, if it names one."""
    windows = {one.window for one in clauses if one.window is not None}
    if len(windows) == 1 and len(clauses) > 1:
        window = next(iter(windows))
        for one in clauses:
            if one.window is None:
                one.window = window
                one.note("same_time", text=one.text)


def _corrected(text: str, words: Vocabulary) -> list[str]:
    """Return the text with words corrected that are nearly known ones; nothing if there are none."""
    known = sorted({word for phrase in words.phrases for word in phrase if len(word) > 3})
    pieces, place = [], 0
    for token in tokenize(text):
        pieces.append(text[place : token.start])
        place = token.stop
        written = text[token.start : token.stop]
        strange = token.kind == "word" and len(token.key) >= 3 and not words.look_up([token.key], [token.text])
        close = get_close_matches(token.key, known, n=1, cutoff=0.8) if strange else []
        pieces.append(close[0] if close else written)
    corrected = "".join([*pieces, text[place:]])
    return [corrected] if corrected != text else []


def examples(network: Network, language: ScenarioLanguage) -> list[str]:
    """Return texts with names of a network that are understood."""
    nodes, groups = list(network.nodes), network.transporters
    names = {
        "node": nodes[0] if nodes else "",
        "carrier": next((group.type for group in groups.values()), "").replace("_", " "),
        "pair": next((group.route for group in groups.values() if group.route), tuple(nodes[:2])),
        "cold": next((name for name, node in network.nodes.items() if node.climate is not None), ""),
        "docks": next((name for name, node in network.nodes.items() if node.docks is not None), ""),
    }
    found = []
    for template in language.examples:
        if any(f"{{{key}" in template and not value for key, value in names.items()):
            continue
        found.append(template.format(**names))
    return found
