"""Solutions of the planner's exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.learn.comparing import Slip, Solution
from twinlab.simulate.scenarios import Close, Scenario

if TYPE_CHECKING:
    from twinlab.twin import Twin

__all__ = ["CHECKS"]

_FIRST, _SECOND, _END = "2026-03-23", "2026-03-30", "2026-04-06"


def _on_time(twin: Twin) -> Solution:
    legs = twin.events("leg")
    late = legs["end"] - legs["planned_end"] > pd.Timedelta("15min")

    def share(destination: str | None, start: str, stop: str) -> float:
        inside = (legs["planned_end"] >= start) & (legs["planned_end"] < stop) & legs["end"].notna()
        here = inside if destination is None else inside & (legs["destination"] == destination)
        return round(100 * float((~late[here]).mean()), 1)

    return Solution(
        share("STR", _FIRST, _SECOND),
        "Read the value of on_time_delivery at STR in the week from 23 March, in percent.",
        (
            Slip(share("MUC", _FIRST, _SECOND), "That is the answer for the example's hub: look at STR."),
            Slip(share("STR", _SECOND, _END), "That is the week after: look at the week from 23 March."),
            Slip(round(100 - share("STR", _FIRST, _SECOND), 1), "That is the share that came late."),
            Slip(share(None, _FIRST, _SECOND), "That is the share of all hubs: look at STR."),
        ),
        tolerance=0.051,
        unit="%",
    )


def _worst_origin(twin: Twin) -> Solution:
    trips = twin.events("trip")
    delay = (trips["start"] - trips["planned_start"]).clip(lower=pd.Timedelta(0))

    def worst(start: str, stop: str, how: str = "sum") -> str:
        inside = (trips["planned_start"] >= start) & (trips["planned_start"] < stop)
        return str(delay[inside].groupby(trips["origin"]).agg(how).idxmax())

    return Solution(
        worst(_SECOND, _END),
        "Add up the minutes of each origin in the week from 30 March, and take the largest sum.",
        (
            Slip(worst(_FIRST, _SECOND), "That is the answer for the week before: look at the week from 30 March."),
            Slip(worst(_SECOND, _END, "max"), "The largest single delay was there. Add the minutes up."),
            Slip(worst(_SECOND, _END, "count"), "Most trips began there. Add up their minutes."),
        ),
    )


def _busiest_hub(twin: Twin) -> Solution:
    legs = twin.events("leg", start="2026-03-25", stop="2026-03-26")

    def busiest(side: str) -> str:
        return str(legs.loc[legs[side] != "FRA", side].value_counts().idxmax())

    return Solution(
        busiest("origin"),
        "Count the legs of 25 March by their origin, leave out FRA, and take the largest count.",
        (
            Slip(busiest("destination"), "Most parcels came there. The question is where they left."),
            Slip(str(legs["origin"].value_counts().idxmax()), "That hub is left out: take the next one."),
        ),
    )


def _closed_hub(twin: Twin) -> Solution:
    shut = Close(node="MUC", start="6h", stop="16h")
    plans = [
        Scenario("wait", changes=[shut]),
        Scenario("around", changes=[shut.model_copy(update={"entities": "reroute"})]),
    ]
    results = twin.simulate(plans, start="2026-03-31T12:00", horizon="1d", replications=4)
    compared = results.compare("wait", "around", kpi="delivered")
    base = results.compare("base", "around", kpi="delivered")
    return Solution(
        round(float(compared.difference), 1),
        "Close MUC from 6 to 16 h after the start, with 4 replications, and take the difference of 'around' from 'wait' in parcels delivered.",
        (
            Slip(round(-float(compared.difference), 1), "The sign is the other way round: compare 'wait' with 'around'."),
            Slip(round(float(base.difference), 1), "That is the difference from a day on which nothing is closed."),
        ),
        tolerance=0.051,
    )  # fmt: skip


CHECKS = {
    "on-time": _on_time, "worst-origin": _worst_origin, "busiest-hub": _busiest_hub, "closed-hub": _closed_hub,
}  # fmt: skip
