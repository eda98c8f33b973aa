"""A scenario: a network and named changes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from pydantic import ValidationError

from twinlab.errors import SchemaError, TwinlabError
from twinlab.model.basics import term
from twinlab.model.check import Finding
from twinlab.model.extensions.options import fault_text
from twinlab.model.load import tidy_yaml
from twinlab.model.yamltext import path_text
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.change import Change
from twinlab.simulate.scenarios.checking import scenario_findings
from twinlab.simulate.scenarios.parts import Part, parts_of
from twinlab.simulate.scenarios.registry import parse_change
from twinlab.simulate.scenarios.windows import Span

__all__ = ["Scenario"]


@dataclass(frozen=True, repr=False)
class Scenario:
    """A base network and named changes of it.

    Parameters
    ----------
    name : str
        Name of the scenario.
    base : Network, optional
        The network that is changed. Without it, each method is given one.
    changes : sequence of Change
        What changes, such as ``Close(node="north", stop="6h")``; keys as in YAML are fine, too:
        ``{"kind": "close", "node": "north", "stop": "6h"}``. Changes of the whole run are applied first, then those that are in effect
        in a window, each in the order given.
    title : str, optional
        Name for people.

    Raises
    ------
    SchemaError
        If a change isn't possible by itself, or doesn't fit the base; all faults at once, each with its path. An
        UnknownTermError if all faults are names that don't exist.

    >>> from twinlab.simulate.network import Network
    >>> bank = Network(name="bank", nodes={"desk": {"type": "desk", "servers": 2, "service": "4 min"}},
    ...     demand={"all": {"at": "desk", "rate": "20 /h"}})
    >>> Scenario("lunch", bank, [{"kind": "servers", "node": "desk", "add": -1, "start": "12:00", "stop": "13:00"}])
    Scenario 'lunch' of 'bank'
      desk desk: -1 servers 12:00-13:00 each day
    """

    name: str
    base: Network | None = None
    changes: tuple[Change, ...] = ()
    title: str | None = None

    def __post_init__(self) -> None:
        try:
            term(self.name)
        except (ValueError, TypeError) as error:
            msg = f"scenario {self.name!r}: name: {error}"
            raise SchemaError(msg) from error
        object.__setattr__(self, "changes", self._parsed(self.changes))
        if self.base is not None:
            self.check()

    def _parsed(self, changes: Sequence[Change | Mapping[str, Any]]) -> tuple[Change, ...]:
        made: list[Change] = []
        findings: list[Finding] = []
        for place, change in enumerate(changes):
            try:
                made.append(parse_change(change))
            except ValidationError as error:
                for details in error.errors():
                    cause = details.get("ctx", {}).get("error")
                    kind = type(cause) if isinstance(cause, TwinlabError) else SchemaError
                    findings.append(Finding(("changes", place, *details["loc"]), kind, fault_text(details)))
        self._refuse(findings)
        return tuple(made)

    def _refuse(self, findings: Sequence[Finding]) -> None:
        if findings:
            kinds = {one.kind for one in findings}
            kind = kinds.pop() if len(kinds) == 1 else SchemaError
            raise kind("\n".join(f"scenario {self.name!r}: {path_text(one.path)}: {one.message}" for one in findings))

    def _network(self, network: Network | None) -> Network:
        found = self.base if network is None else network
        if found is None:
            msg = f"scenario {self.name!r} has no base; expected a network as argument, or `Scenario(name, base, changes)`"
            raise SchemaError(msg)
        return found

    def findings(self, network: Network | None = None, *, run: Span | None = None) -> list[Finding]:
        """Return all faults with their paths below the scenario; see `check`."""
        return scenario_findings(self.changes, self._network(network), run)

    def check(self, network: Network | None = None, *, run: Span | None = None) -> None:
        """Compare the changes with a network and, where it is known, with a run.

        Parameters
        ----------
        network : Network, optional
            The base, by default.
        run : (datetime64, datetime64), optional
            Start and end of the run, UTC.

        Raises
        ------
        SchemaError
            With a line for each fault: names that don't exist, numbers that can't be, ways that are cut, changes that
            contradict each other or change nothing, windows outside the run.
        """
        self._refuse(self.findings(network, run=run))

    @property
    def windowed(self) -> bool:
        """Whether a change is in effect in a window only."""
        return any(change.windowed for change in self.changes)

    def applied(self, network: Network | None = None) -> Network:
        """Return the changed network, for changes in effect in the whole run.

        Raises
        ------
        SchemaError
            As `check`, and if a change is in effect in a window only: see `parts`.
        """
        if self.windowed:
            place = next(place for place, change in enumerate(self.changes) if change.windowed)
            msg = (
                f"scenario {self.name!r}: changes[{place}] is in effect in a window only; use `parts(start=…, stop=…)`"
            )
            raise SchemaError(msg)
        far = np.datetime64("1970-01-01"), np.datetime64("1970-01-02")
        return self.parts(network, start=far[0], stop=far[1])[0].network

    def parts(self, network: Network | None = None, *, start: np.datetime64, stop: np.datetime64) -> list[Part]:
        """Return the parts of a run in each of which the network stays as it is, in order and without gaps.

        Parameters
        ----------
        network : Network, optional
            The base, by default.
        start, stop : datetime64
            The run, UTC.

        Raises
        ------
        SchemaError
            As `check`.
        """
        base = self._network(network)
        self.check(base, run=(start, stop))
        return parts_of(self.changes, base, (start, stop))

    def diff(self, network: Network | None = None) -> list[str]:
        """Return the changes in words, one each.

        >>> from twinlab.simulate.network import Network
        >>> hubs = Network(name="hubs", nodes={"north": {"type": "hub"}})
        >>> Scenario("day_off", changes=[{"kind": "close", "node": "north", "start": "6h", "stop": "18h"}]).diff(hubs)
        ['hub north: closed 6h-18h after the start']
        """
        found = self._network(network)
        self.check(found)
        said = []
        for change in self.changes:
            said.append(change.words(found))
            if not change.windowed:
                found = change.applied(found)
        return said

    def content_hash(self) -> str:
        """Return the hash of the base and the changes, hexadecimal; the name doesn't count."""
        stated = {"base": self.base.content_hash() if self.base else None, "changes": self.stated()["changes"]}
        return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()

    def stated(self) -> dict[str, Any]:
        """Return name, title and changes as plain data, as YAML has them."""
        changes = [{"kind": change.kind, **_keys(change, mode="json")} for change in self.changes]
        return {"name": self.name} | ({"title": self.title} if self.title else {}) | {"changes": changes}

    def to_yaml(self) -> str:
        """Return the scenario as YAML, without its base; `parse_scenarios` reads it back equal."""
        return tidy_yaml({"scenarios": [self.stated()]})

    def code(self) -> str:
        """Return Python that makes the scenario; with a base, the base too.

        >>> print(Scenario("calm", changes=[{"kind": "demand", "factor": 0.5}]).code())
        from twinlab.simulate.scenarios import DemandFactor, Scenario
        <BLANKLINE>
        scenario = Scenario("calm", changes=[DemandFactor(factor=0.5)])
        """
        kinds = sorted({type(change) for change in self.changes}, key=lambda kind: kind.__name__)
        ours = [kind.__name__ for kind in kinds if kind.__module__.startswith("twinlab.simulate.scenarios.")]
        lines = [f"from twinlab.simulate.scenarios import {', '.join(sorted([*ours, 'Scenario']))}"]
        lines += [f"from {kind.__module__} import {kind.__name__}" for kind in kinds if kind.__name__ not in ours]
        if self.base is not None:
            lines.insert(0, "from twinlab.simulate.network import parse_network")
            lines += ["", f"base = parse_network({self.base.to_yaml()!r})"]
        calls = [_call(change) for change in self.changes]
        body = f"[{', '.join(calls)}]"
        if len(body) > 80:
            body = "[\n    " + ",\n    ".join(calls) + ",\n]"
        name = json.dumps(self.name, ensure_ascii=False)
        arguments = [name, *(["base"] if self.base is not None else []), f"changes={body}"]
        arguments += [f"title={self.title!r}"] if self.title else []
        return "\n".join([*lines, "", f"scenario = Scenario({', '.join(arguments)})"])

    def _said(self) -> list[str]:
        if self.base is not None:
            return self.diff()
        return [_call(change) for change in self.changes]

    def __repr__(self) -> str:
        """Return name and changes in words."""
        head = f"Scenario {self.name!r}" + (f" of {self.base.name!r}" if self.base is not None else "")
        return "\n".join([head, *(f"  {text}" for text in self._said() or ["no change"])])

    def _repr_html_(self) -> str:
        of = f" of {escape(self.base.title or self.base.name)}" if self.base is not None else ""
        items = "".join(f"<li>{escape(text)}</li>" for text in self._said() or ["no change"])
        return f"<div><strong>{escape(self.title or self.name)}</strong>{of}<ul>{items}</ul></div>"


def _keys(change: Change, *, mode: str = "python") -> dict[str, Any]:
    """Return what a change states, its window last."""
    keys = change.model_dump(mode=mode, by_alias=mode == "json", exclude_defaults=True, exclude={"kind"})
    return {key: keys[key] for key in sorted(keys, key=lambda key: key in {"start", "stop"})}


def _call(change: Change) -> str:
    return f"{type(change).__name__}({', '.join(f'{key}={value!r}' for key, value in _keys(change).items())})"
