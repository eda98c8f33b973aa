"""Solutions of the dispatcher's exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

import twinlab.events
from twinlab.learn.comparing import Slip, Solution

if TYPE_CHECKING:
    from twinlab.twin import Twin

__all__ = ["CHECKS"]


def _late_truck(twin: Twin) -> Solution:
    trips = twin.events("trip")

    def latest(origin: str | None, ends: str = "start") -> str:
        mine = trips if origin is None else trips[trips["origin"] == origin]
        return str(mine.loc[(mine[ends] - mine[f"planned_{ends}"]).idxmax(), "asset"])

    return Solution(
        latest("STR"),
        "Only trips whose origin is STR count; take the largest of start minus planned_start, and the truck is the asset of its row.",
        (
            Slip(latest("FRA"), "That is the answer for the example's origin: choose the trips from STR."),
            Slip(latest("STR", "end"), "That truck came latest. The question is who left latest: compare the starts."),
            Slip(latest(None), "That is the latest of all trips: choose the trips from STR first."),
        ),
    )


def _warm_room(twin: Twin) -> Solution:
    def rooms(condition: str, lasting: str) -> frozenset[str]:
        return frozenset(twin.find(condition, on="cold_room", lasting=lasting)["asset"])

    wanted, door = twin.model.rules["door_open"], twin.find("door == open", on="cold_room")
    return Solution(
        rooms(str(wanted.when), "20min"),
        "Find `door == open` on cold rooms, lasting 20 minutes; a room counts once.",
        (
            Slip(rooms("temperature > upper_limit", "3h"), "Those are the rooms of the example: ask for open doors instead."),
            Slip(frozenset(door["asset"]), "Doors that were open for a moment are among them: only those open for 20 minutes count."),
            Slip(rooms("door == open", "3h"), "You asked for three hours, as the example does: the rule asks for 20 minutes."),
        ),
    )  # fmt: skip


def _where_is_it(twin: Twin) -> Solution:
    def at(instant: str) -> str:
        place = twinlab.events.where(twin.reader, "parcel", "10058", at=instant)
        return place.steps[0][1] if place.steps else ""

    there = at("2026-03-24T06:00")
    leg = twin.events("leg", assets=["10058"]).sort_values("start").iloc[0]
    return Solution(
        there,
        "Ask for parcel 10058 at 06:00 UTC on 24 March; the first of `place.steps` has the type and the id of what it is in or at.",
        (
            Slip(at("2026-03-24T18:00"), "That is where it was in the evening: ask for 06:00."),
            Slip(str(leg["destination"]), "That is where it was going: in the morning it hadn't left."),
            Slip("hub", "That is the kind of place: answer with its id."),
        ),
    )


def _late_parcels(twin: Twin) -> Solution:
    legs = twin.events("leg").dropna(subset=["end"])
    delay = legs["end"] - legs["planned_end"]

    def count(destination: str | None, minutes: int) -> int:
        here = True if destination is None else legs["destination"] == destination
        return int(((delay > pd.Timedelta(minutes=minutes)) & here).sum())

    left = legs["start"] - legs["planned_start"] > pd.Timedelta(minutes=60)
    return Solution(
        count("HAM", 60),
        "Only legs to HAM count, whose end is more than 60 minutes after the planned end.",
        (
            Slip(count("FRA", 60), "Those went to the example's destination: count legs to HAM."),
            Slip(count("HAM", 30), "Those are more than 30 minutes late: count those of more than 60."),
            Slip(count("FRA", 30), "That is the answer to the example."),
            Slip(count(None, 60), "Those went to any hub: count legs to HAM."),
            Slip(int((left & (legs["destination"] == "HAM")).sum()), "Those left late. Count those that came late: compare the ends."),
        ),
    )  # fmt: skip


CHECKS = {
    "late-truck": _late_truck, "warm-room": _warm_room, "where-is-it": _where_is_it, "late-parcels": _late_parcels,
}  # fmt: skip
