"""The examples, read from their files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from twinlab.simulate.network.network import Network
from twinlab.simulate.network.reading import parse_network
from twinlab.simulate.scenarios.reading import parse_scenarios
from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["factory_example", "factory_scenarios", "parcel_example", "parcel_scenarios"]


def _text(name: str) -> str:
    return files("twinlab.simulate.examples").joinpath(name).read_text(encoding="utf-8")


@cache
def parcel_example() -> Network:
    """Return a parcel network: five hubs with shifts, a dock and a cold room, trucks with timetables, vans, forklifts.

    >>> parcel_example().nodes["central"].servers
    'central'
    """
    return parse_network(_text("parcel.yaml"), "parcel.yaml")


def parcel_scenarios() -> list[Scenario]:
    """Return scenarios of the parcel network: its central hub is closed, a storm, a peak season.

    >>> [scenario.name for scenario in parcel_scenarios()]
    ['central_closed', 'storm', 'peak_season']
    """
    return parse_scenarios(_text("parcel_scenarios.yaml"), "parcel_scenarios.yaml", base=parcel_example())


@cache
def factory_example() -> Network:
    """Return a factory line: six workstations with buffers and breakdowns, two kinds of jobs with due times, a pool of forklifts.

    >>> factory_example().nodes["paint"].buffer
    3
    """
    return parse_network(_text("factory.yaml"), "factory.yaml")


def factory_scenarios() -> list[Scenario]:
    """Return scenarios of the factory line: larger buffers, slow forklifts, a mill that is out, two forklifts.

    >>> factory_scenarios()[1].diff()
    ['forklifts: speed -33 %']
    """
    return parse_scenarios(_text("factory_scenarios.yaml"), "factory_scenarios.yaml", base=factory_example())
