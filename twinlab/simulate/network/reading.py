"""Read networks from YAML and write them: every fault of a file in one message, each with its line and its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from twinlab.errors import SchemaError
from twinlab.model.check import Finding
from twinlab.model.load import parse_as
from twinlab.model.yamltext import Path_, read_text
from twinlab.simulate.network.calendars import Calendar, Profile
from twinlab.simulate.network.flows import Demand, Link
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.nodes import Node
from twinlab.simulate.network.placing import placed
from twinlab.simulate.network.transporters import Transporters

if TYPE_CHECKING:
    from twinlab.model.basics import Model

__all__ = ["parse_network", "read_network"]

Part = TypeVar("Part", bound=BaseModel)

#: What takes the place of a part that is at fault, so that names that refer to it are known.
_SOUND: Final[Mapping[str, Model]] = {
    "calendars": Calendar(shifts=({"from": "00:00", "to": "24:00", "servers": 1},)),
    "profiles": Profile(factors=(1.0,) * 24),
    "nodes": Node(type="node"),
}


def read_network(path: Path | str) -> Network:
    """Read a network from a YAML file; see `parse_network`."""
    return parse_network(read_text(Path(path)), str(path))


def parse_network(text: str, name: str = "network.yaml") -> Network:
    r"""Read a network from YAML.

    Parameters
    ----------
    text : str
        The YAML.
    name : str
        Name of the file, for messages.

    Raises
    ------
    SchemaError
        With a line for each fault: file, line, path, what was expected, what was found, the nearest known name. A UnitError
        if all faults are units, an UnknownTermError if all are names that don't exist.

    >>> parse_network("name: bank\nnodes: {counter: {type: counter}}").nodes["counter"].servers
    1
    """
    return parse_as(Network, text, name, first="name:", also=_further)


def _further(data: Mapping[Any, Any], at_fault: Sequence[Path_]) -> list[Finding]:
    """Return the unknown names among the parts that are right by themselves."""
    kinds: dict[str, type[BaseModel]] = {
        "calendars": Calendar,
        "profiles": Profile,
        "nodes": Node,
        "demand": Demand,
        "transporters": Transporters,
    }
    parts: dict[str, Any] = {key: _sound_parts(data.get(key), kind, _SOUND.get(key)) for key, kind in kinds.items()}
    # Links keep their numbers: a link that is at fault is left out, but none behind it is checked under another number.
    links = data.get("links")
    rows = [_sound(Link, row) for row in links] if isinstance(links, list) else []
    sound = [row for row in rows[: rows.index(None) if None in rows else None] if row is not None]
    for key in ("transitions", "next_hops"):
        given = data.get(key)
        right = isinstance(given, dict) and not any(path[:1] == (key,) for path in at_fault)
        parts[key] = given if right else {}
    network = Network.model_construct(name="network", links=tuple(sound), **parts)
    return [
        one for one in map(placed, network.name_faults()) if not any(one.path[: len(p)] == p for p in at_fault if p)
    ]


def _sound_parts(given: object, kind: type[Part], instead: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    found = {str(name): _sound(kind, value) or instead for name, value in given.items()}
    return {name: part for name, part in found.items() if part is not None}


def _sound(kind: type[Part], value: object) -> Part | None:
    try:
        return kind.model_validate(value)
    except (ValidationError, SchemaError):
        return None
