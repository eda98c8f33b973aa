"""The items of a question: tokens joined to phrases with what they may mean, taken one by one until none is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from twinlab.ask.parsing.tokens import Token, tokenize
from twinlab.ask.parsing.vocabulary import LONGEST_PHRASE, Kind, Meaning, Vocabulary

__all__ = ["Item", "Items", "read_items"]

#: Symbols that may stay unused: they shape a sentence, and add nothing that could be lost.
_SOFT = frozenset(
    {
        "filler",
        "which",
        "which_of",
        "list",
        "and",
        "at",
        "from",
        "to",
        "during",
        "related",
        "when",
        "all_time",
        "ago",
        "this",
        "present_tense",
        "in_total",
        "fell",
        "past",
    }
)


@dataclass
class Item:
    """A phrase, a number or a date of a question.

    Parameters
    ----------
    text : str
        As it is written.
    kind : str
        phrase, number, date, clock or unknown.
    meanings : list of Meaning
        Of a phrase, likely ones first.
    used : bool
        Whether some part of the plan says it.
    """

    text: str
    kind: str
    meanings: list[Meaning] = field(default_factory=list)
    used: bool = False

    def symbol(self, *names: str) -> str | None:
        """Return the first of its symbols that is one of these; a name that ends in a space is the beginning of one."""
        for one in self.meanings:
            if one.kind == "symbol" and any(
                one.name == name or (name[-1:] == " " and one.name.startswith(name)) for name in names
            ):
                return one.name
        return None

    def of_kind(self, *kinds: Kind) -> list[Meaning]:
        """Return its meanings of some kinds."""
        return [one for one in self.meanings if one.kind in kinds]

    @property
    def soft(self) -> bool:
        """Whether it may stay unused."""
        return any(one.kind == "symbol" and one.name in _SOFT for one in self.meanings)


class Items:
    """All items of a question.

    Parameters
    ----------
    question : str
    items : list of Item
    """

    def __init__(self, question: str, items: list[Item]) -> None:
        self.question, self.all = question, items

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, place: int) -> Item:
        return self.all[place]

    def free(self, place: int) -> bool:
        """Return whether there is an unused item at a place."""
        return 0 <= place < len(self.all) and not self.all[place].used

    def is_symbol(self, place: int, *names: str) -> str | None:
        """Return the symbol of the unused item at a place if it is one of these."""
        return self.all[place].symbol(*names) if self.free(place) else None

    def use(self, *places: int) -> None:
        """Note that a part of the plan says these items."""
        for place in places:
            self.all[place].used = True

    def take(self, *names: str) -> str | None:
        """Use the first unused item that has one of these symbols, and return the symbol."""
        for place in range(len(self.all)):
            found = self.is_symbol(place, *names)
            if found is not None:
                self.use(place)
                return found
        return None

    def has(self, *names: str) -> bool:
        """Return whether an unused item has one of these symbols."""
        return any(self.is_symbol(place, *names) for place in range(len(self.all)))

    def unused(self, *kinds: Kind) -> Iterator[tuple[int, list[Meaning]]]:
        """Yield places and meanings of unused items of some kinds."""
        for place, item in enumerate(self.all):
            found = [] if item.used else item.of_kind(*kinds)
            if found:
                yield place, found

    def not_understood(self) -> list[str]:
        """Return what no part of the plan says, and can't be left out."""
        return [item.text for item in self.all if not item.used and not item.soft]


def read_items(question: str, words: Vocabulary) -> Items:
    """Return the items of a question: the longest known phrases first, from left to right."""
    tokens = [part for token in tokenize(question) for part in _parts(token, words)]
    found: list[Item] = []
    place = 0
    while place < len(tokens):
        item, size = _phrase(tokens, place, words)
        found += _apart(item)
        place += size
    return Items(question, found)


def _apart(item: Item) -> list[Item]:
    """Return an item for each symbol of a phrase that says several things: "most punctual"."""
    several = next((one.name for one in item.meanings if one.kind == "symbol" and " + " in one.name), None)
    if several is None:
        return [item]
    return [Item(item.text, item.kind, [Meaning("symbol", name)]) for name in several.split(" + ")]


def _parts(token: Token, words: Vocabulary) -> list[Token]:
    """Return the words that a hyphen joins, unless the whole is the id of an asset: "cold-chain"; and those of a compound."""
    compound = _compound(token, words)
    if compound:
        return compound
    if token.kind != "word" or "-" not in token.text or words.look_up([token.key], [token.text]):
        return [token]
    found, place = [], token.start
    for text in token.text.split("-"):
        if text:
            found.append(Token("word", text, place, place + len(text)))
        place += len(text) + 1
    return found


def _compound(token: Token, words: Vocabulary) -> list[Token]:
    """Return the two words of a compound such as "Durchschnittstemperatur", if it isn't known and its end is."""
    if token.kind != "word" or words.look_up([token.key], [token.text]):
        return []
    for begun, word in words.language.beginnings.items():
        rest = token.text[len(begun) :]
        if token.key.startswith(begun) and rest and words.look_up([rest.casefold()], [rest]):
            return [
                Token("word", word, token.start, token.start + len(begun)),
                Token("word", rest, token.start + len(begun), token.stop),
            ]
    return []


def _phrase(tokens: list[Token], place: int, words: Vocabulary) -> tuple[Item, int]:
    first = tokens[place]
    if first.kind == "quoted":
        meanings = words.look_up(first.key.split(), first.text.split()) or words.id_in_any_case(first.text)
        return Item(first.text, "phrase" if meanings else "unknown", meanings), 1
    if first.kind in ("date", "clock"):
        return Item(first.text, first.kind), 1
    for size in range(min(LONGEST_PHRASE, len(tokens) - place), 0, -1):
        some = tokens[place : place + size]
        if any(token.kind not in ("word", "number", "sign") for token in some):
            continue
        meanings = words.look_up([token.key for token in some], [token.text for token in some])
        if meanings and not (
            size == 1
            and first.kind == "number"
            and all(one.kind == "asset" for one in meanings)
            and len(first.text) < 4
        ):
            text = " ".join(token.text for token in some)
            kind = "number" if size == 1 and first.kind == "number" else "phrase"
            return Item(text, kind, meanings), size
    if first.kind == "number":
        return Item(first.text, "number"), 1
    meanings = words.id_in_any_case(first.text)
    return Item(first.text, "phrase" if meanings else "unknown", meanings), 1
