"""A change: what all kinds of changes have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.check import Finding
from twinlab.model.terms import nearest
from twinlab.simulate.definition import Definition
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.windows import Moment, window_fault, window_words

__all__ = ["Change", "changed", "chosen", "fault", "percent", "unknown"]

Effect = Literal["set", "adjust"]


class Change(Definition):
    """Base of the kinds of changes: a network goes in, the changed one comes out.

    A kind is one module with one class, and a line in `twinlab.simulate.scenarios.registry`.
    """

    windows: ClassVar[bool] = True
    """Whether the change may be in effect in a window only."""
    kind: str
    """Name of the kind."""
    start: Moment | None = None
    """When the change takes effect: an instant, a time since the start of the run ("6h"), or a time of day ("06:00")."""
    stop: Moment | None = None
    """When it ceases to be in effect, exclusive, in the same form."""

    @model_validator(mode="after")
    def _has_a_window(self) -> Self:
        wrong = window_fault(self.start, self.stop)
        if not wrong and self.windowed and not self.windows:
            wrong = f"a change of the kind {self.kind!r} is in effect in the whole run; remove `start` and `stop`"
        if wrong:
            raise ValueError(wrong)
        return self

    @property
    def windowed(self) -> bool:
        """Whether the change is in effect in a window only."""
        return self.start is not None or self.stop is not None

    @abstractmethod
    def applied(self, network: Network) -> Network:
        """Return the network with the change. `faults` returned nothing for it."""

    @abstractmethod
    def summary(self, network: Network) -> str:
        """Return what changes in words, without the window: "hub north: closed"."""

    @abstractmethod
    def effects(self, network: Network) -> Mapping[str, Effect]:
        """Return what is changed, by path in the network: set to a value, or adjusted relative to what it is."""

    def faults(self, network: Network) -> Iterator[Finding]:
        """Return what of the change doesn't fit the network: names that don't exist, numbers that can't be."""
        del network
        return iter(())

    def words(self, network: Network) -> str:
        """Return the change in words, with its window.

        >>> from twinlab.simulate.scenarios import Close
        >>> hubs = Network(name="two", nodes={"north": {"type": "hub"}, "south": {"type": "hub"}})
        >>> Close(node="north", start="06:00", stop="18:00").words(hubs)
        'hub north: closed 06:00-18:00 each day'
        """
        return self.summary(network) + window_words(self.start, self.stop)


def changed(network: Network, **parts: Any) -> Network:  # noqa: ANN401  (parts of a network)
    """Return a network with other parts, checked as a whole."""
    return Network(**({name: getattr(network, name) for name in Network.model_fields} | parts))


def fault(field: str, message: str) -> Finding:
    """Return a fault of one field of a change; without a field, of the change as a whole."""
    return Finding((field,) if field else (), SchemaError, message)


def unknown(field: str, what: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    """Return a fault for each name that isn't known."""
    there = set(known)
    for name in names:
        if name not in there:
            yield Finding((field,), UnknownTermError, f"there is no {what} {name!r}{nearest(name, there)}")


def chosen(name: str, of: Mapping[str, Any]) -> list[str]:
    """Return the members of a group that a name means: that of the name, or all of the type of that name."""
    return [name] if name in of else [one for one, part in of.items() if part.type == name]


def percent(factor: float) -> str:
    """Return a factor as a change in percent.

    >>> percent(1.2), percent(0.5)
    ('+20 %', '-50 %')
    """
    return f"{(factor - 1) * 100:+.3g} %"
