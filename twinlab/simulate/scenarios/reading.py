"""Read scenarios from YAML: every fault of a file in one message, each with its line and its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from twinlab.errors import SchemaError
from twinlab.model.basics import Model, Term
from twinlab.model.check import FaultsError, Finding
from twinlab.model.load import parse_as, refuse, tidy_yaml
from twinlab.model.yamltext import Path_, read_text
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.reading import read_network
from twinlab.simulate.scenarios.registry import AnyChange
from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["parse_scenarios", "read_scenarios", "scenarios_yaml"]


class _Entry(Model):
    """A scenario in a file."""

    name: Term
    """Name of the scenario."""
    title: str | None = None
    """Name for people."""
    changes: tuple[AnyChange, ...] = ()
    """What changes; none is the network as it is."""


class _File(Model):
    """A file of scenarios."""

    base: str | None = None
    """Path of the network's file, from this file's folder."""
    scenarios: tuple[_Entry, ...] = Field(min_length=1)
    """The scenarios, in order."""

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if twice := _twice([one.name for one in self.scenarios]):
            raise FaultsError(twice)
        return self


def _twice(names: Sequence[object]) -> list[Finding]:
    return [
        Finding(
            ("scenarios", place, "name"), SchemaError, f"the name {name!r} is taken by a scenario above; use another"
        )
        for place, name in enumerate(names)
        if name is not None and name in names[:place]
    ]


def _further(data: Mapping[Any, Any], at_fault: Sequence[Path_]) -> list[Finding]:
    """Return the names that are there twice, for a file in which something else is at fault, too."""
    del at_fault
    rows = data.get("scenarios")
    return (
        _twice([row.get("name") if isinstance(row, dict) else None for row in rows]) if isinstance(rows, list) else []
    )


def read_scenarios(path: Path | str, *, base: Network | None = None) -> list[Scenario]:
    """Read scenarios from a YAML file; see `parse_scenarios`."""
    return parse_scenarios(read_text(Path(path)), str(path), base=base)


def parse_scenarios(text: str, name: str = "scenarios.yaml", *, base: Network | None = None) -> list[Scenario]:
    """Read scenarios from YAML.

    Parameters
    ----------
    text : str
        The YAML: ``scenarios:``, a list, and maybe ``base:``, the file of the network that they change.
    name : str
        Name of the file, for messages; ``base:`` is relative to its folder.
    base : Network, optional
        The network that they change, instead of ``base:``.

    Raises
    ------
    SchemaError
        With a line for each fault, of all scenarios: file, line, path, what was expected, what was found, the nearest
        known name. A UnitError if all faults are units, an UnknownTermError if all are names that don't exist.

    >>> [one] = parse_scenarios("scenarios: [{name: busy, changes: [{kind: demand, factor: 1.2}]}]")
    >>> one.changes[0].factor
    1.2
    """
    made = parse_as(_File, text, name, first="scenarios:", also=_further)
    if base is None and made.base is not None:
        base = read_network(Path(name).parent / made.base)
    scenarios = [Scenario(one.name, changes=one.changes, title=one.title) for one in made.scenarios]
    if base is None:
        return scenarios
    findings = [
        Finding(("scenarios", place, *found.path), found.kind, found.message)
        for place, scenario in enumerate(scenarios)
        for found in scenario.findings(base)
    ]
    refuse(findings, made, name)
    return [Scenario(one.name, base, one.changes, one.title) for one in scenarios]


def scenarios_yaml(scenarios: Sequence[Scenario]) -> str:
    """Return scenarios as one YAML file, without their base; `parse_scenarios` reads them back equal.

    >>> print(scenarios_yaml([Scenario("busy", changes=[{"kind": "demand", "factor": 1.2}])]), end="")
    scenarios: [{name: busy, changes: [{kind: demand, factor: 1.2}]}]
    """
    return tidy_yaml({"scenarios": [one.stated() for one in scenarios]})
