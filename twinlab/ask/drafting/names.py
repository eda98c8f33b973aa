"""The vocabulary of a network: which phrases name its nodes, types, groups of transporters and kinds of entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.parsing.vocabulary import Meaning, Vocabulary, words_of

if TYPE_CHECKING:
    from twinlab.ask.languages.language import Language
    from twinlab.simulate.network.network import Network

__all__ = ["ENTITY", "NODE_TYPE", "TRANSPORTERS", "network_words"]

#: What a type is one of, as ``of`` of its meaning.
NODE_TYPE, TRANSPORTERS, ENTITY = "node", "transporters", "entity"


def network_words(network: Network, language: Language, titles: Mapping[str, str]) -> Vocabulary:
    """Return the vocabulary of a network.

    Parameters
    ----------
    network : Network
    language : Language
        With the words of scenarios.
    titles : mapping of node to str
        Names of nodes for people, such as "Hamburg".
    """
    found = Vocabulary(language)
    for text, symbols in language.phrases.items():
        for symbol in symbols:
            found.add(text.split(), Meaning("symbol", symbol))
    for phrase, meaning in _types(network, language):
        found.add(phrase, meaning)
    for name, node in network.nodes.items():
        meaning = Meaning("asset", name, node.type)
        for words in {tuple(words_of(name)), *_of_title(titles.get(name), language)}:
            found.add(words, meaning)
            prefix = words_of(node.type)
            if len(words) > len(prefix) and list(words[: len(prefix)]) == prefix:
                # "hub_lyon" is Lyon, too.
                found.add(words[len(prefix) :], meaning)
        found.ids.setdefault(node.type, pd.Index([]))
    for kind in found.ids:
        found.ids[kind] = pd.Index([name for name, node in network.nodes.items() if node.type == kind])
    for name in network.transporters:
        found.add(words_of(name), Meaning("link", name))
        found.add([name.casefold()], Meaning("link", name))
    _add_first_words(found, titles, network)
    return found


def _types(network: Network, language: Language) -> Iterator[tuple[list[str], Meaning]]:
    named = [
        *(Meaning("asset_type", node.type, NODE_TYPE) for node in network.nodes.values()),
        *(Meaning("asset_type", group.type, TRANSPORTERS) for group in network.transporters.values()),
        *(Meaning("value", demand.kind, ENTITY) for demand in network.demand.values()),
    ]
    for meaning in dict.fromkeys(named):
        yield words_of(meaning.name), meaning
        for other in language.terms.get(meaning.name, ()):
            yield other.split(), meaning


def _of_title(title: str | None, language: Language) -> Iterator[tuple[str, ...]]:
    if title:
        yield tuple(words_of(title))
        for other in language.terms.get(title.casefold(), ()):
            yield tuple(other.split())


def _add_first_words(found: Vocabulary, titles: Mapping[str, str], network: Network) -> None:
    """Add each word of a title that only one node has, and that means nothing else: "Kennedy"."""
    having: dict[str, list[str]] = {}
    for name, title in titles.items():
        for word in dict.fromkeys(words_of(title)) if name in network.nodes else ():
            having.setdefault(word, []).append(name)
    for word, names in having.items():
        if len(names) == 1 and len(word) >= 4 and not found.look_up([word], [word]):
            found.add([word], Meaning("asset", names[0], network.nodes[names[0]].type))
