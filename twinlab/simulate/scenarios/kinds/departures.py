"""Other departures of transporters, and other rules of who is called for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import model_validator

from twinlab.model.check import Finding
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.quantities import Time
from twinlab.simulate.network.transporters import Dispatch, Timetable, Transporters
from twinlab.simulate.scenarios.change import Change, Effect, changed, fault, unknown

__all__ = ["UseDispatch", "UseTimetable"]


class UseTimetable(Change):
    """Have a group of transporters depart by another timetable, or in regular intervals.

    >>> yard = Network(name="yard", nodes={"dock": {"type": "dock"}, "store": {"type": "store"}},
    ...     links=[{"from": "dock", "to": "store", "both_ways": True, "travel": "2 min"}],
    ...     transporters={"lifts": {"type": "forklift", "route": ("dock", "store"), "capacity": 1}})
    >>> UseTimetable(transporters="lifts", every="10 min").words(yard)
    'lifts: departures every 10 min'
    """

    kind: Literal["timetable"] = "timetable"
    transporters: str
    """Name of a group of transporters."""
    timetable: Timetable | None = None
    """Departures by node and time of day."""
    every: Time | None = None
    """Time from one departure to the next."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.timetable is None) == (self.every is None):
            msg = "expected exactly one of `timetable` and `every`"
            raise ValueError(msg)
        return self

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from unknown("transporters", "group of transporters", [self.transporters], network.transporters)
        group = network.transporters.get(self.transporters)
        if group is not None and group.route is None:
            yield fault(
                "transporters",
                f"{self.transporters!r} are called to `links`, so that they have no departures; choose a group with a `route`",
            )
        elif group is not None and group.route is not None and self.timetable is not None:
            yield from unknown(
                "timetable",
                f"node on the route of {self.transporters!r} called",
                self.timetable.departures,
                group.route,
            )

    def applied(self, network: Network) -> Network:  # noqa: D102
        groups = dict(network.transporters)
        dispatch = Dispatch(timetable=self.timetable, every=self.every)
        groups[self.transporters] = groups[self.transporters].model_copy(update={"dispatch": dispatch})
        return changed(network, transporters=groups)

    def summary(self, network: Network) -> str:  # noqa: D102
        del network
        if self.timetable is None:
            return f"{self.transporters}: departures every {self.every}"
        stated = "; ".join(f"{node} {', '.join(times)}" for node, times in self.timetable.departures.items())
        return f"{self.transporters}: departures {stated}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"transporters.{self.transporters}.dispatch": "set"}


class UseDispatch(Change):
    """Have a group of transporters leave, or be called, by another rule.

    >>> yard = Network(name="yard", nodes={"dock": {"type": "dock"}, "store": {"type": "store"}},
    ...     links=[{"from": "dock", "to": "store", "travel": "2 min"}],
    ...     transporters={"lifts": {"type": "forklift", "links": [("dock", "store")], "capacity": 1}})
    >>> UseDispatch(transporters="lifts", dispatch={"order": "due"}).words(yard)
    'lifts: dispatch order due'
    """

    kind: Literal["dispatch"] = "dispatch"
    transporters: str
    """Name of a group of transporters."""
    dispatch: Dispatch
    """The whole rule, as in the description of the group; keys that it doesn't state have their defaults."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from unknown("transporters", "group of transporters", [self.transporters], network.transporters)

    def applied(self, network: Network) -> Network:  # noqa: D102
        group = network.transporters[self.transporters]
        # Made anew, so that a rule that doesn't fit the group is refused.
        parts = {name: getattr(group, name) for name in Transporters.model_fields} | {"dispatch": self.dispatch}
        return changed(network, transporters={**network.transporters, self.transporters: Transporters(**parts)})

    def summary(self, network: Network) -> str:  # noqa: D102
        del network
        stated = self.dispatch.model_dump(exclude_defaults=True, mode="json")
        words = ", ".join(f"{name} {value}" for name, value in stated.items()) or "at once, first come first served"
        return f"{self.transporters}: dispatch {words}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"transporters.{self.transporters}.dispatch": "set"}
