"""The description of a network: nodes with servers and shifts, links, transporters, demand.

In: what a person states, as text with units. Out: frozen objects that are complete and consistent.
Read in order: `quantities`, `distributions`, `scaling`, `calendars`, `breakdowns`, `climate`, `nodes`, `flows`, `transporters`, `parts`,
`routing`, `pools` (transporters that are called), `checks`, `placing`, `display`, `network`, `reading`.
Never: a number without a unit, a name that nothing defines.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Breakdowns": "breakdowns",
        "Calendar": "calendars",
        "Climate": "climate",
        "Constant": "distributions",
        "Demand": "flows",
        "Dispatch": "transporters",
        "Distribution": "distributions",
        "Empirical": "distributions",
        "Erlang": "distributions",
        "Exponential": "distributions",
        "Gamma": "distributions",
        "Link": "flows",
        "LogNormal": "distributions",
        "Network": "network",
        "Node": "nodes",
        "Normal": "distributions",
        "Profile": "calendars",
        "Shift": "calendars",
        "TimeDistribution": "distributions",
        "Timetable": "transporters",
        "Transporters": "transporters",
        "Triangular": "distributions",
        "Uniform": "distributions",
        "Weather": "calendars",
        "Weibull": "distributions",
        "parse_network": "reading",
        "read_network": "reading",
    },
)
