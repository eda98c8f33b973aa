"""Scenarios: named changes of a network, for the whole run or for windows of it.

In: a network, and changes in Python or YAML. Out: the changed network, or the parts of a run in each of which it stays as it
is; the changes in words, as Python and as YAML; all that is wrong with them, before anything runs.
Read in order: `windows`, `change`, `kinds`, `registry`, `overlaps`, `checking`, `parts`, `scenario`, `reading`.
Never: a change that is ignored; a fault that is found only while the simulation runs.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AddShift": "kinds.servers",
        "Breakdown": "kinds.servers",
        "Buffer": "kinds.flows",
        "CHANGE_KINDS": "registry",
        "Change": "change",
        "Close": "kinds.close",
        "DemandFactor": "kinds.flows",
        "Docks": "kinds.servers",
        "Fleet": "kinds.transporters",
        "NewTransporters": "kinds.transporters",
        "Part": "parts",
        "Reliability": "kinds.reliability",
        "Reroute": "kinds.links",
        "Scenario": "scenario",
        "Servers": "kinds.servers",
        "ServiceFactor": "kinds.flows",
        "SetPoint": "kinds.set_point",
        "Speed": "kinds.transporters",
        "Storm": "kinds.links",
        "UseCalendar": "kinds.servers",
        "UseDispatch": "kinds.departures",
        "UseTimetable": "kinds.departures",
        "WithoutShift": "kinds.servers",
        "changed": "change",
        "fault": "change",
        "parse_scenarios": "reading",
        "read_scenarios": "reading",
        "scenarios_yaml": "reading",
        "unknown": "change",
    },
)
