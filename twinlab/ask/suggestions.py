"""Questions that are offered: those nearest to one that isn't understood, and completions while a question is typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING

from twinlab.ask.parsing.tokens import tokenize

if TYPE_CHECKING:
    from twinlab.ask.parsing.vocabulary import Vocabulary
    from twinlab.model.twinmodel import TwinModel

__all__ = ["complete", "misspelt", "nearest_questions"]

_BRACES = re.compile(r"\{(\w+)\}")
#: Names of one kind that examples are made with.
_MOST_NAMES = 40
#: Letters of a word that is corrected, and how near it has to be to the one that is meant.
_LONG, _NEAR = 4, 0.84


def nearest_questions(question: str, words: Vocabulary, model: TwinModel, *, count: int = 3) -> list[str]:
    """Return questions about this twin that are understood, those most like the question first.

    A word that is nearly one of the twin's is corrected first.
    """
    names = _names(words, model)
    corrected = _corrected(question, words)
    mine = set(corrected.casefold().split())

    def likeness(one: str) -> float:
        theirs = set(one.casefold().split())
        return (
            len(mine & theirs) / max(1, len(theirs))
            + 0.3 * SequenceMatcher(None, corrected.casefold(), one.casefold()).ratio()
        )

    examples = [list(_filled_in(template, names)) for template in words.language.examples]
    ranked = sorted((one for made in examples for one in made), key=likeness, reverse=True)
    if not any(mine & set(one.casefold().split()) for one in ranked):
        # Nothing to go by: one of each kind, in the order of the language's file.
        ranked = [made[0] for made in examples if made]
    found = [corrected] if corrected != question else []
    return [*found, *ranked][:count]


def misspelt(question: str, words: Vocabulary) -> tuple[str, list[tuple[str, str]]]:
    """Return the question with its misspelt words corrected, and which they are: (as written, as read).

    Stricter than what is offered: the word is the same but for one or two letters inside, so that "driver" isn't read as "drive".
    """
    return _replaced(question, words, lambda word, known: _near(word, words, known))


def _near(word: str, words: Vocabulary, known: list[str]) -> str | None:
    """Return the known word that a misspelt one is, also of its basic form; None if it is none for sure."""
    written = word.replace("ae", "ä").replace("oe", "ö").replace("ue", "ü")
    if words.language.code == "de" and written != word and words.look_up([written], [written]):
        return written
    for stem in words.language.stems(word):
        if len(stem) < _LONG:
            continue
        for one in get_close_matches(stem, known, n=3, cutoff=_NEAR):
            turned = sorted(one) == sorted(stem)
            inside = one[-1] == stem[-1] and abs(len(one) - len(stem)) <= (2 if len(stem) > 7 else 1)
            one_letter = len(one) == len(stem) >= 7 and sum(a != b for a, b in zip(one, stem, strict=True)) == 1
            if one[0] == stem[0] and (turned or inside or one_letter):
                return one
        swapped = (stem[:at] + stem[at + 1] + stem[at] + stem[at + 2 :] for at in range(1, len(stem) - 1))
        turned_round = next((one for one in swapped if one in known), None)
        if turned_round is not None:
            return turned_round
    return None


def _corrected(question: str, words: Vocabulary) -> str:
    """Return the question with unknown words replaced by known ones that are nearly the same."""
    return _replaced(
        question, words, lambda word, known: next(iter(get_close_matches(word, known, n=1, cutoff=0.8)), None)
    )[0]


def _replaced(
    question: str, words: Vocabulary, near: Callable[[str, list[str]], str | None]
) -> tuple[str, list[tuple[str, str]]]:
    """Return the question with other words for unknown ones, and which they are.

    Parameters
    ----------
    near : callable
        Word and known words -> the word that is meant, or None.
    """
    known = sorted({word for phrase in words.phrases for word in phrase if len(word) >= _LONG})
    pieces, place, changed = [], 0, []
    for token in tokenize(question):
        pieces.append(question[place : token.start])
        place = token.stop
        text = question[token.start : token.stop]
        unknown = token.kind == "word" and len(token.key) >= _LONG and not words.look_up([token.key], [token.text])
        found = near(token.key, known) if unknown and token.key not in known else None
        if found is not None:
            changed.append((text, found))
        pieces.append(found or text)
    return "".join([*pieces, question[place:]]), changed


def _filled_in(template: str, names: dict[str, list[tuple[str, str]]]) -> Iterator[str]:
    """Yield an example with names of the twin."""
    kinds = _BRACES.findall(template)
    if not kinds:
        yield template
        return
    for chosen in _fitting(kinds, names):
        yield template.format(**chosen)


def _fitting(kinds: list[str], names: dict[str, list[tuple[str, str]]]) -> Iterator[dict[str, str]]:
    """Yield names for an example; all of one question belong to the same asset type."""
    first, *others = kinds
    for name, owner in names[first][:_MOST_NAMES]:
        chosen = {first: name}
        for other in others:
            fits = [text for text, of in names[other] if of == owner or not owner or not of]
            if not fits:
                break
            chosen[other] = fits[0]
        else:
            yield chosen


def _names(words: Vocabulary, model: TwinModel) -> dict[str, list[tuple[str, str]]]:
    """Return names by kind, each with the asset type that it belongs to."""
    found: dict[str, list[tuple[str, str]]] = {
        "asset_type": [(_other(words, kind, model.asset_types[kind].title), kind) for kind in model.asset_types],
        "asset_types": [(_others(words, kind, model.asset_types[kind].title), kind) for kind in model.asset_types],
        "event_types": [(_others(words, kind, model.event_types[kind].title), "") for kind in model.event_types],
        "event_type": [(_other(words, kind, model.event_types[kind].title), "") for kind in model.event_types],
        "kpi": [(_other(words, name, kpi.title), "") for name, kpi in model.kpis.items()],
        "rule": [(_other(words, name, rule.title), rule.on) for name, rule in model.rules.items() if rule.on in model.asset_types],
        "signal": [], "condition": [], "asset": [],
    }  # fmt: skip
    for kind, spec in model.asset_types.items():
        for name, signal in spec.signals.items():
            if not signal.states:
                found["signal"].append((_other(words, name, signal.title), kind))
            states = [_other(words, state, None) for state in (signal.states or {}).values()]
            found["condition"] += [(f"{_other(words, name, signal.title)} {state}", kind) for state in states]
        if spec.signals and len(words.ids[kind]):
            found["asset"].append((str(words.ids[kind][0]), kind))
    return found


def _other(words: Vocabulary, name: str, title: str | None) -> str:
    own = words.language.terms.get(name)
    return own[0] if own else (title or name.replace("_", " ")).lower()


def _others(words: Vocabulary, name: str, title: str | None) -> str:
    """Return the plural."""
    return words.language.plural(name, _other(words, name, title))


def complete(text: str, words: Vocabulary, *, count: int = 8) -> list[str]:
    """Return ways to go on with a question that is being typed: its last word or words completed with a known phrase.

    Names of the twin come first.
    """
    start = len(text) - len(text.rsplit(" ", maxsplit=1)[-1])
    found: list[tuple[int, int, str]] = []
    pieces = text.split(" ")
    for size in (3, 2, 1):
        if len(pieces) < size or not pieces[-1]:
            continue
        begun = " ".join(pieces[-size:]).casefold()
        start = len(text) - len(begun)
        for phrase, meanings in words.phrases.items():
            whole = " ".join(phrase)
            if whole.startswith(begun) and whole != begun:
                rank = 1 if all(one.kind == "symbol" for one in meanings) else 0
                found.append((-size, rank, text[:start] + whole))
    return list(dict.fromkeys(one for _, _, one in sorted(found)))[:count]
