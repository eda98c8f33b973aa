"""The clauses of a text, each of which says one change, and what each names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from twinlab.ask.drafting.amounts import Amount, read_amount
from twinlab.ask.drafting.names import ENTITY, NODE_TYPE, TRANSPORTERS
from twinlab.ask.drafting.windows import EffectWindow, read_window
from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.parsing.items import Items, read_items

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.ask.parsing.items import Item
    from twinlab.ask.parsing.vocabulary import Vocabulary
    from twinlab.simulate.network.network import Network

__all__ = ["ACTIONS", "Clause", "read_clauses"]

#: Symbols that say what is done; a clause has one.
ACTIONS = ("do ", "factor ", "storm", "every")
_SEPARATORS = re.compile(r"[;\n!?]|,(?!\d)|(?<!\d)\.(?=\s|$)")


@dataclass
class Clause:
    """One clause, with what it names in its place.

    Parameters
    ----------
    items : Items
    network : Network
    window : EffectWindow or None
    amount : Amount
    nodes, node_types, groups, carriers, entities : list of str
        Nodes, types of nodes, groups of transporters, types of transporters, kinds of entities that are named.
    notes : list of (key, values)
        What was assumed; keys of the sentences of a language.
    """

    items: Items
    network: Network
    window: EffectWindow | None = None
    amount: Amount = field(default_factory=Amount)
    nodes: list[str] = field(default_factory=list)
    node_types: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    carriers: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    notes: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its words."""
        return " ".join(item.text for item in self.items.all)

    def has(self, *names: str) -> bool:
        """Return whether an item has one of these symbols, used or not."""
        return any(item.symbol(*names) for item in self.items.all)

    def take(self, *names: str) -> bool:
        """Use all items with one of these symbols, and return whether there is any."""
        found = [place for place in range(len(self.items)) if self.items[place].symbol(*names)]
        self.items.use(*found)
        return bool(found)

    def note(self, key: str, **values: str) -> None:
        """Note what was assumed."""
        self.notes.append((key, values))

    def refuse(self, key: str, **values: str) -> NoReturn:
        """Raise the error that says why it is no change."""
        raise NotUnderstoodError(key, values)

    def at(self, place: int, *names: str) -> bool:
        """Return whether the item before a place, fillers and types aside, has one of these symbols."""
        before = place - 1
        while (
            before >= 0
            and not self.items[before].symbol(*names)
            and (self.items[before].symbol("filler") or self.items[before].of_kind("asset_type"))
        ):
            before -= 1
        return before >= 0 and self.items[before].symbol(*names) is not None


def read_clauses(text: str, words: Vocabulary, network: Network, *, now: pd.Timestamp) -> list[Clause]:
    """Return the clauses of a text, in order, with times, amounts and names read and used.

    A part without anything that is done belongs to the clause before it, or else to the one after.
    """
    pieces = [
        piece for part in _SEPARATORS.split(text) if part.strip() for piece in _at_and(read_items(part, words).all)
    ]
    merged: list[list[Item]] = []
    for piece in pieces:
        if merged and (not (_acts(piece) and _acts(merged[-1])) or _says_how_strong(merged[-1], piece)):
            merged[-1] = [*merged[-1], *piece]
        else:
            merged.append(piece)
    return [_read(Items(text, items), words, network, now) for items in merged]


def _says_how_strong(storm: list[Item], piece: list[Item]) -> bool:
    """Return whether a part says how much longer trips take in the storm of the part before: "storm at Nice, trips take 40 % longer"."""
    named = any(item.symbol("storm") for item in storm) and not any(
        item.symbol("measure %", "factor ") for item in storm
    )
    longer = any(item.symbol("do longer", "do slower", "about travel") for item in piece)
    return named and longer and not any(item.of_kind("asset", "link", "asset_type") for item in piece)


def _acts(items: list[Item]) -> bool:
    return any(item.symbol(*ACTIONS, "measure %") for item in items)


def _at_and(items: list[Item]) -> list[list[Item]]:
    """Split at "and" between two parts in each of which something is done."""
    found: list[list[Item]] = []
    begin = 0
    for place, item in enumerate(items):
        if (
            item.symbol("and")
            and _acts(items[begin:place])
            and _acts(items[place + 1 :])
            and not _bounds(items, begin, place)
        ):
            found.append(items[begin:place])
            begin = place + 1
    return [*found, items[begin:]]


def _bounds(items: list[Item], begin: int, place: int) -> bool:
    """Return whether an "and" belongs to a "between"."""
    betweens = sum(item.symbol("between") is not None for item in items[begin:place])
    return betweens > sum(item.symbol("and") is not None for item in items[begin:place])


def _read(items: Items, words: Vocabulary, network: Network, now: pd.Timestamp) -> Clause:
    clause = Clause(items, network)
    clause.window = read_window(items, now, words.language)
    if clause.window is not None and clause.window.daily and clause.window.start is None:
        clause.refuse("window", text=clause.text)
    clause.amount = read_amount(items)
    for place, item in enumerate(items.all):
        if item.used:
            continue
        for meaning in item.meanings:
            target = {
                ("asset", meaning.of): clause.nodes, ("asset_type", NODE_TYPE): clause.node_types, ("link", ""): clause.groups,
                ("asset_type", TRANSPORTERS): clause.carriers, ("value", ENTITY): clause.entities,
            }.get((meaning.kind, meaning.of))  # fmt: skip
            if target is not None:
                if meaning.name not in target:
                    target.append(meaning.name)
                items.use(place)
    # "hub Lyon" names Lyon.
    if clause.nodes:
        there = {network.nodes[name].type for name in clause.nodes}
        clause.node_types = [name for name in clause.node_types if name not in there]
    return clause
