"""The vocabulary of one twin: which phrases name its asset types, assets, signals, states, events, rules and KPIs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from twinlab.ask.languages import Language
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["LONGEST_PHRASE", "Meaning", "Vocabulary", "vocabulary"]

Kind = Literal[
    "asset_type",
    "asset",
    "signal",
    "state",
    "event_type",
    "event",
    "rule",
    "kpi",
    "link",
    "property",
    "value",
    "relationship",
    "symbol",
]

#: Words of the longest phrase that is looked up.
LONGEST_PHRASE = 7
#: Property values that count as words: a property with more distinct ones is a text, such as a name.
_MOST_VALUES = 60
#: Asset types with more assets than this are looked up by id alone.
_MOST_LABELS = 20_000
#: Letters of a word of a name that means its asset alone.
_LONG_WORD = 6
#: Words that names have in short.
_IN_FULL = {
    "intl": "international", "natl": "national", "rgnl": "regional", "mun": "municipal", "co": "county", "mem": "memorial", "arpt": "airport",
    "fld": "field", "st": "street",
}  # fmt: skip
_SHORT_WORDS = frozenset(_IN_FULL)
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")


@dataclass(frozen=True)
class Meaning:
    """What a phrase may be.

    Parameters
    ----------
    kind : str
    name : str
        In the model; of an asset its id, of a state the state, of a value the value, else a symbol of the language.
    of : str
        Asset type of assets, signals and states; asset type or event type of properties, values and links.
    within : str
        Signal of a state, property of a value.
    """

    kind: Kind
    name: str
    of: str = ""
    within: str = ""


@dataclass
class Vocabulary:
    """Phrases of a twin in one language.

    Parameters
    ----------
    language : Language
    phrases : mapping
        Words of a phrase in lower case -> meanings.
    ids : mapping of asset type to index
        Ids of all assets.
    short : mapping
        First words of a name -> id and name of the asset, if it has no history while others of its type have one.
    """

    language: Language
    phrases: dict[tuple[str, ...], list[Meaning]] = field(default_factory=dict)
    ids: dict[str, pd.Index] = field(default_factory=dict)
    short: dict[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)

    def add(self, words: Sequence[str], meaning: Meaning) -> None:
        """Add a phrase, unless it has the meaning already."""
        if words and len(words) <= LONGEST_PHRASE:
            known = self.phrases.setdefault(tuple(words), [])
            if meaning not in known:
                known.append(meaning)

    def look_up(self, words: Sequence[str], texts: Sequence[str]) -> list[Meaning]:
        """Return the meanings of a phrase: as it is written, or with its words in their basic form.

        Parameters
        ----------
        words : sequence of str
            In lower case.
        texts : sequence of str
            As they are written.
        """
        exact = self.phrases.get(tuple(words), []) or self.phrases.get(tuple(one.replace("'", "") for one in words), [])
        found = [one for one in exact if not _looks_like_a_word(one, texts)]
        if not found:
            found = list(self._in_basic_form(words))
        if len(texts) == 1:
            possessive = texts[0].removesuffix("'s").removesuffix("’s")
            found += [one for one in self._by_id(possessive) if one not in found]
        return found

    def _in_basic_form(self, words: Sequence[str]) -> Iterator[Meaning]:
        # Plurals: of the last word, or of each word of a short phrase ("average temperatures of cold rooms").
        for last in self.language.stems(words[-1]):
            found = self.phrases.get((*words[:-1], last))
            if found and (last != words[-1]):
                yield from (one for one in found if one.kind != "asset" or len(words) > 1)
                return
        if len(words) == 2:
            for first in self.language.stems(words[0]):
                for last in self.language.stems(words[1]):
                    found = self.phrases.get((first, last))
                    if found and first != words[0]:
                        yield from found
                        return

    def _by_id(self, text: str) -> Iterator[Meaning]:
        kind, slash, name = text.partition("/")
        if slash and kind in self.ids and name in self.ids[kind]:
            yield Meaning("asset", name, kind)
            return
        for asset_type, index in self.ids.items():
            for spelling in (text, text.upper()) if any(sign.isdigit() for sign in text) else (text,):
                if spelling in index:
                    yield Meaning("asset", spelling, asset_type)
                    break

    def without(self, kind: Kind) -> Vocabulary:
        """Return the vocabulary without the phrases of one kind."""
        phrases = {words: [one for one in found if one.kind != kind] for words, found in self.phrases.items()}
        return Vocabulary(
            self.language, {words: found for words, found in phrases.items() if found}, self.ids, self.short
        )

    def id_in_any_case(self, text: str) -> list[Meaning]:
        """Return the assets whose id is this text in capitals; for words that mean nothing else."""
        return [Meaning("asset", text.upper(), kind) for kind, index in self.ids.items() if text.upper() in index]


def vocabulary(twin: TwinReader, language: Language) -> Vocabulary:
    """Return the vocabulary of what a reader may see of a twin.

    Parameters
    ----------
    twin : TwinReader
        A twin, or a view of one with fewer assets.
    language : Language
    """
    model = twin.model
    found = Vocabulary(language)
    for text, symbols in language.phrases.items():
        for symbol in symbols:
            found.add(text.split(), Meaning("symbol", symbol))
    for phrase, meaning in _of_model(model, language):
        found.add(phrase, meaning)
        if meaning.kind in ("kpi", "rule") and len(phrase) > 1:
            # "The on-time departure" of the KPI "On-time departures".
            for stem in list(language.stems(phrase[-1]))[1:2]:
                found.add([*phrase[:-1], stem], meaning)
    used = _add_events(found, twin)
    _without_conditions(found, model)
    measured: dict[str, pd.Series] = {}
    for asset_type in model.asset_types:
        table = twin.assets(asset_type)
        found.ids[asset_type] = table.index
        _add_values(found, asset_type, table, model)
        label = model.asset_types[asset_type].label
        if label is not None and label in table and len(table) <= _MOST_LABELS:
            having = _with_history(twin, asset_type)
            _add_labels(
                found, asset_type, table[label], having or used.get(asset_type, set()), used.get(asset_type, set())
            )
            measured[asset_type] = table[label][table.index.isin(having)]
        _add_synonyms(found, asset_type, table, model)
    for asset_type, labels in measured.items():
        _add_words_of_labels(found, asset_type, labels)
    return found


def words_of(text: str) -> list[str]:
    """Return the words of a name or title in lower case.

    >>> words_of("on_time_delivery"), words_of("Cold-chain compliance")
    (['on', 'time', 'delivery'], ['cold', 'chain', 'compliance'])
    """
    return [word.casefold() for word in _WORD.findall(text.replace("_", " "))]


def _of_model(model: TwinModel, language: Language) -> Iterator[tuple[list[str], Meaning]]:
    for meaning, title in _named(model):
        for phrase in {meaning.name, title or meaning.name}:
            yield words_of(phrase), meaning
        for other in (*language.terms.get(meaning.name, ()), *model.synonyms.get(meaning.name, ())):
            yield other.casefold().split(), meaning


def _named(model: TwinModel) -> Iterator[tuple[Meaning, str | None]]:
    for kind, spec in model.asset_types.items():
        yield Meaning("asset_type", kind), spec.title
        for name, signal in spec.signals.items():
            yield Meaning("signal", name, kind), signal.title
            for state in (signal.states or {}).values():
                yield Meaning("state", state, kind, name), None
        for name, prop in spec.properties.items():
            yield Meaning("property", name, kind), prop.title
    for kind, event in model.event_types.items():
        yield Meaning("event_type", kind), event.title
        for name in event.links:
            yield Meaning("link", name, kind), None
        for name, prop in event.properties.items():
            yield Meaning("property", name, kind), prop.title
    for name, rule in model.rules.items():
        # A "late trip" is an event that is late; the rule is named by its title.
        if rule.on in model.asset_types:
            yield Meaning("rule", name, rule.on), rule.title
    for name, kpi in model.kpis.items():
        yield Meaning("kpi", name, kpi.on), kpi.title
    for name, link in model.relationships.items():
        yield Meaning("relationship", name, link.source), link.title


def _without_conditions(found: Vocabulary, model: TwinModel) -> None:
    """Remove rules from phrases that are a signal with a state: the door that is open isn't the rule with its duration."""
    for name in model.rules:
        words = tuple(words_of(name))
        firsts, lasts = found.phrases.get(words[:1], []), found.phrases.get(words[1:], [])
        if any(one.kind == "signal" for one in firsts) and any(one.kind == "state" for one in lasts):
            found.phrases[words] = [one for one in found.phrases[words] if one.kind != "rule"]
            if not found.phrases[words]:
                del found.phrases[words]


def _add_values(found: Vocabulary, asset_type: str, table: pd.DataFrame, model: TwinModel) -> None:
    kind = model.asset_types[asset_type]
    for name, prop in kind.properties.items():
        if prop.dtype != "text" or name == kind.label or name not in table:
            continue
        values = table[name].dropna().unique()
        if len(values) <= _MOST_VALUES:
            for value in map(str, values):
                meaning = Meaning("value", value, asset_type, name)
                found.add(words_of(value), meaning)
                for other in found.language.terms.get(value.casefold(), ()):
                    found.add(other.split(), meaning)


def _with_history(twin: TwinReader, asset_type: str) -> set[str]:
    """Return the assets that have a history, which a short name means before others."""
    if not twin.model.asset_types[asset_type].signals:
        return set()
    signals = list(twin.model.asset_types[asset_type].signals)
    return {str(one) for one in twin.history(asset_type, signals=signals[:1])["asset"].values}


def _add_events(found: Vocabulary, twin: TwinReader) -> dict[str, set[str]]:
    """Add the values of text properties of events, and return the assets that events are linked to; asset type -> ids."""
    used: dict[str, set[str]] = {}
    for name, kind in twin.model.event_types.items():
        texts = [one for one, spec in kind.properties.items() if spec.dtype == "text"]
        if not texts and not any(twin.model.asset_types[one].label for one in kind.links.values()):
            continue
        table = twin.events(name)
        for text in texts:
            values = table[text].dropna().unique() if text in table else ()
            if len(values) <= _MOST_VALUES:
                for value in map(str, values):
                    meaning = Meaning("value", value, name, text)
                    found.add(words_of(value), meaning)
                    for other in found.language.terms.get(value.casefold(), ()):
                        found.add(other.split(), meaning)
        for link, target in kind.links.items():
            if link in table:
                used.setdefault(target, set()).update(table[link].dropna().astype(str).unique())
    return used


def _add_synonyms(found: Vocabulary, asset_type: str, table: pd.DataFrame, model: TwinModel) -> None:
    """Add other names of assets, in the model as ``airport/BOS: [Boston]``."""
    for name, others in model.synonyms.items():
        kind, slash, asset = name.partition("/")
        if slash and kind == asset_type and asset in table.index:
            for other in others:
                found.add(words_of(other), Meaning("asset", asset, asset_type))


def _add_labels(found: Vocabulary, asset_type: str, labels: pd.Series, measured: set[str], used: set[str]) -> None:
    """Add the names of assets, and the first words of a name if no other asset of the type begins with them.

    Where events are linked to some assets of the type, only those are meant by the first words: flights to Miami.
    """
    starts: dict[tuple[str, ...], list[str]] = {}
    for asset, label in labels.dropna().items():
        words, meaning = words_of(str(label)), Meaning("asset", str(asset), asset_type)
        found.add(words, meaning)
        if _SHORT_WORDS & set(words):
            found.add([_IN_FULL.get(one, one) for one in words], meaning)
        for other in found.language.terms.get(str(label).casefold(), ()):
            found.add(other.split(), meaning)
        if len(words) == 2 and ("".join(words),) not in found.phrases:
            # "LaGuardia".
            found.add(["".join(words)], meaning)
        for size in range(1, len(words)):
            starts.setdefault(tuple(words[:size]), []).append(str(asset))
    for begun, assets in starts.items():
        likely = [one for one in assets if one in measured] or [one for one in assets if one in used]
        likely = likely or ([] if used else assets)
        if len(likely) == 1 and len(" ".join(begun)) >= 4 and not _is_known(found, begun):
            found.add(begun, Meaning("asset", likely[0], asset_type))
            if (measured and likely[0] not in measured) or used:
                found.short[begun] = (likely[0], str(labels[likely[0]]))


def _add_words_of_labels(found: Vocabulary, asset_type: str, labels: pd.Series) -> None:
    """Add each long word that only one of the assets with a history has in its name, and that means nothing else: "Kennedy"."""
    having: dict[str, list[str]] = {}
    for asset, label in labels.dropna().items():
        for word in dict.fromkeys(words_of(str(label))):
            having.setdefault(word, []).append(str(asset))
    for word, assets in having.items():
        if (
            len(assets) == 1
            and len(word) >= _LONG_WORD
            and not any(found.look_up([one], [one]) for one in (word, word.title()))
        ):
            found.add([word], Meaning("asset", assets[0], asset_type))


def _is_known(found: Vocabulary, words: tuple[str, ...]) -> bool:
    """Return whether words, or the first of them, mean something else than an asset."""
    return any(one.kind != "asset" for some in (words, words[:1]) for one in found.phrases.get(some, []))


def _looks_like_a_word(meaning: Meaning, texts: Sequence[str]) -> bool:
    """Return whether it is the month of May in small letters, which is a verb."""
    return meaning.kind == "symbol" and meaning.name == "month 5" and not texts[0][:1].isupper()
