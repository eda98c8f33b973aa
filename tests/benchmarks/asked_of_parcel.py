"""Fifty questions about a week of a small parcel network, written by somebody who hadn't read the parser, with answers by pandas.

The data end on Sunday 11 January 2026 at midnight UTC: "today" is that Sunday, "this week" and "last week" are the week of the data.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.benchmarks.asked_truth import (
    Asked,
    Facts,
    Groups,
    Moment,
    Number,
    Refuse,
    Truth,
    YesNo,
    minutes,
    name,
    names,
    runs,
    within,
)

END = pd.Timestamp("2026-01-12")
WED, THU, FRI, SAT = (
    ("2026-01-07", "2026-01-08"),
    ("2026-01-08", "2026-01-09"),
    ("2026-01-09", "2026-01-10"),
    ("2026-01-10", "2026-01-11"),
)


def _cells(
    facts: Facts, asset_type: str, signal: str, asset: str | None = None, span: tuple[str, str] | None = None
) -> Any:
    cells = facts.cells(asset_type, signal)
    if span:
        cells = cells[(cells.index >= span[0]) & (cells.index < span[1])]
    return cells if asset is None else cells[asset]


def _parcels(facts: Facts, **properties: object) -> pd.DataFrame:
    parcels = facts.assets("parcel")
    for column, value in properties.items():
        parcels = parcels[parcels[column] == value]
    return parcels


def _trips(facts: Facts, **links: str) -> pd.DataFrame:
    trips = facts.events("trip")
    for column, value in links.items():
        trips = trips[trips[column] == value]
    return trips


def _trip_counts(facts: Facts, **links: str) -> list[Truth]:
    trips = _trips(facts, **links)
    ended, due = trips[trips["end"].notna()], trips[trips["planned_start"] < END]
    return [Number(len(one), tolerance=0) for one in (trips, trips[trips["start"].notna()], ended, due)]


def _driven(facts: Facts) -> pd.Series:
    return _cells(facts, "truck", "odometer").agg(lambda one: one.dropna().iloc[-1] - one.dropna().iloc[0])


def _on_time(legs: pd.DataFrame) -> float:
    legs = legs[legs["end"].notna()]
    return float((minutes(legs["end"] - legs["planned_end"]) <= 15).mean() * 100)


def _on_time_by_destination(facts: Facts) -> list[Truth]:
    return [Groups({hub: _on_time(legs) for hub, legs in facts.events("leg").groupby("destination")}, "%")]


def _on_thursday(facts: Facts) -> list[Truth]:
    legs = facts.events("leg")
    return [
        Number(_on_time(legs[within(legs[by], *THU)]), "%") for by in ("planned_end", "planned_start", "end", "start")
    ]


def _stays(facts: Facts) -> pd.Series:
    stays = facts.links("held_at")
    hours = minutes(stays["valid_until"] - stays["valid_from"]) / 60
    return hours.groupby(stays["target"]).mean()


def _share(cells: pd.Series | pd.DataFrame, *states: float) -> float:
    values = np.asarray(cells, dtype=float).ravel()
    values = values[~np.isnan(values)]
    return float(np.isin(values, states).mean() * 100)


def _used(facts: Facts, *forklifts: str) -> float:
    mode = np.asarray(_cells(facts, "forklift", "mode")[list(forklifts)], dtype=float).ravel()
    return float((mode == 1).sum() / np.isin(mode, (0, 1)).sum() * 100)


def _low_batteries(facts: Facts) -> list[Truth]:
    low = _cells(facts, "forklift", "battery") < 30
    return [
        Groups({one: len(runs(low[one])) for one in low}, tolerance=0),
        Groups({one: int(low[one].sum()) for one in low}, tolerance=0),
    ]


def _door_counts(facts: Facts, room: str, at_least: int, span: tuple[str, str] | None = None) -> Number:
    return Number(len(runs(_cells(facts, "cold_room", "door", room, span) == 1, at_least)), tolerance=0)


def _late_parcels(facts: Facts) -> list[Truth]:
    parcels = facts.assets("parcel")
    late = parcels["delivered"] > parcels["promised"]
    overdue = parcels["delivered"].isna() & (parcels["promised"] < END)
    return [Number(int(late.sum()), tolerance=0), Number(int((late | overdue).sum()), tolerance=0)]


def _late_trips(facts: Facts) -> list[Truth]:
    trips = _trips(facts)
    late = trips[minutes(trips["start"] - trips["planned_start"]) > 30]
    return [names(late["event_id"]), names(late["asset"])]


def _delay_by_origin(facts: Facts) -> list[Truth]:
    trips = _trips(facts)
    delays = [minutes(trips[one] - trips[f"planned_{one}"]) for one in ("start", "end")]
    found = [*delays, *(delay.clip(lower=0) for delay in delays), *(delay[delay > 0] for delay in delays)]
    return [Groups(dict(delay.groupby(trips["origin"]).mean().items()), "min") for delay in found]


def _longest_trip(facts: Facts) -> list[Truth]:
    trips = _trips(facts)
    lasting = trips["end"] - trips["start"]
    longest = trips.loc[lasting.idxmax()]
    return [name(longest["event_id"], longest["asset"]), Number(lasting.max() / pd.Timedelta(hours=1), "h")]


def _waiting(facts: Facts, hub: str, at: str) -> list[Truth]:
    stays = facts.links("held_at")
    there = (stays["target"] == hub) & (stays["valid_from"] <= at) & ~(stays["valid_until"] <= at)
    return [Number(int(there.sum()), tolerance=0)]


def _where(facts: Facts, parcel: str, at: str) -> Truth:
    stays = facts.links("held_at")
    return name(
        *stays["target"][(stays["source"] == parcel) & (stays["valid_from"] <= at) & ~(stays["valid_until"] <= at)]
    )


def _last(facts: Facts, asset_type: str, signal: str, asset: str) -> float:
    return float(_cells(facts, asset_type, signal, asset).dropna().iloc[-1])


def _energy(facts: Facts) -> list[Truth]:
    legs = facts.events("leg")
    hours = float((_cells(facts, "cold_room", "compressor", span=THU) == 1).to_numpy().sum()) / 12
    return [Number(hours * 3000 / int(within(legs[by], *THU).sum()), "Wh") for by in ("planned_start", "start")]


def _undelivered(facts: Facts, **properties: object) -> pd.DataFrame:
    parcels = _parcels(facts, **properties)
    return parcels[parcels["delivered"].isna()]


def _carried(facts: Facts, truck: str, span: tuple[str, str]) -> list[Truth]:
    legs, start, stop = facts.events("leg"), *map(pd.Timestamp, span)
    legs = legs[legs["truck"] == truck]
    meets = (legs["start"] < stop) & ~(legs["end"] <= start)
    return [
        names(legs["asset"][one]) for one in (within(legs["start"], *span), within(legs["planned_start"], *span), meets)
    ]


def _open_hours(facts: Facts, room: str, span: tuple[str, str]) -> Number:
    return Number(float((_cells(facts, "cold_room", "door", room, span) == 1).sum()) * 5, "min")


def _lowest(facts: Facts, forklift: str) -> list[Truth]:
    battery = _cells(facts, "forklift", "battery", forklift)
    return [Number(battery.min(), "%"), Moment(frozenset(battery.index[battery == battery.min()]))]


def _too_warm(facts: Facts) -> pd.DataFrame:
    return _cells(facts, "cold_room", "temperature") > facts.assets("cold_room")["upper_limit"]


def _cold_share(facts: Facts) -> float:
    known = _cells(facts, "cold_room", "temperature").notna().to_numpy()
    return float((~_too_warm(facts)).to_numpy()[known].mean() * 100)


PARCEL = [
    Asked("Was any cold room too warm this week? Which one?", lambda f: [names(room for room, warm in _too_warm(f).items() if runs(warm, 2))]),
    Asked("how long was R02 above 8 degrees", lambda f: [Number(float((_cells(f, "cold_room", "temperature", "R02") > 8).sum()) * 5, "min")]),
    Asked("highest temperature in the Hamburg cold room", lambda f: [Number(_cells(f, "cold_room", "temperature", "R02").max(), "degC")]),
    Asked("average speed of T003 when it was moving",
          lambda f: [Number(_cells(f, "truck", "speed", "T003").where(lambda v: v > 0).mean(), "km/h")]),
    Asked("How many parcels go to Munich?", lambda f: [Number(len(_parcels(f, destination="MUC")), tolerance=0)]),
    Asked("how many parcels were handed in on Wednesday", lambda f: [Number(int(within(f.assets("parcel")["registered"], *WED).sum()), tolerance=0)]),
    Asked("which truck drove the farthest?", lambda f: [name(_driven(f).idxmax())]),
    Asked("kilometres driven by T017 in total", lambda f: [Number(_driven(f)["T017"], "km")]),
    Asked("what's the uptime of the forklifts?", lambda f: [Number(_share(_cells(f, "forklift", "mode"), 0, 1), "%")]),
    Asked("utilisation F01 vs F02", lambda f: [Groups({one: _used(f, one) for one in ("F01", "F02")}, "%")]),
    Asked("What does the heaviest parcel weigh?", lambda f: [Number(f.assets("parcel")["weight"].max(), "kg")]),
    Asked("How many parcels were delivered after the promised time?", _late_parcels, "delivered late, or also overdue and not delivered"),
    Asked("How many trips were cancelled?", lambda f: [Number(len(_trips(f, status="cancelled")), tolerance=0)]),
    Asked("What is the remark on trip TR00021?", lambda f: [name(_trips(f, event_id="TR00021")["remark"].iloc[0])]),
    Asked("Which trips left more than half an hour late?", _late_trips, "trips, or their trucks"),
    Asked("on-time delivery by destination", _on_time_by_destination),
    Asked("on-time delivery on Thursday 8 January", _on_thursday, "legs planned or in fact to end or to start on that day"),
    Asked("How long do parcels stay in Frankfurt on average?", lambda f: [Number(_stays(f)["FRA"], "h")]),
    Asked("At which hub do parcels wait longest?", lambda f: [name(_stays(f).idxmax())]),
    Asked("how often did the battery drop below 30 % for each forklift?", _low_batteries, "events, or reports"),
    Asked("What was the lowest battery level of F02 and when was that?", lambda f: _lowest(f, "F02"), "the level or the time"),
    Asked("Is the door of R01 open right now?", lambda f: [YesNo(_last(f, "cold_room", "door", "R01") == 1)]),
    Asked("how often was the door of the cold room in Frankfurt open for more than 20 minutes?",
          lambda f: [_door_counts(f, "R01", 4), _door_counts(f, "R01", 5)], "at least, or more than 20 minutes"),
    Asked("total time the door of R02 was open on Friday", lambda f: [_open_hours(f, "R02", FRI)]),
    Asked("Which trucks are based in Hamburg?", lambda f: [names(f.links("based_at").query("target == 'HAM'")["source"])]),
    Asked("trucks per hub", lambda f: [Groups(dict(f.links("based_at")["target"].value_counts().items()), tolerance=0)]),
    Asked("Where was parcel 10001 on January 7 at 10:00?", lambda f: [_where(f, "10001", "2026-01-07 10:00")]),
    Asked("Which parcels did T020 carry on January 8?", lambda f: _carried(f, "T020", THU), "legs that began, should have begun, or were under way"),
    Asked("How many litres were in T010's tank at the end?", lambda f: [Number(_last(f, "truck", "fuel", "T010"), "L")]),
    Asked("what percentage of the time was the compressor in R01 running", lambda f: [Number(_share(_cells(f, "cold_room", "compressor", "R01"), 1), "%")]),
    Asked("energy per parcel leg on 2026-01-08 in Wh", _energy, "legs planned, or that began"),
    Asked("average delay of trips for each origin, in minutes", _delay_by_origin, "at departure or arrival; all, early as zero, or only late ones"),
    Asked("how many parcels have not been delivered yet?", lambda f: [Number(len(_undelivered(f)), tolerance=0)]),
    Asked("How many parcels were at the Berlin hub on 9 January at 12:00?", lambda f: _waiting(f, "BER", "2026-01-09 12:00")),
    Asked("which trip took the longest?", _longest_trip, "the trip, its truck, or how long"),
    Asked("Wie viele Pakete wiegen mehr als 10 kg?", lambda f: [Number(int((f.assets("parcel")["weight"] > 10).sum()), tolerance=0)]),
    Asked("Welcher LKW war am schnellsten?", lambda f: [name(_cells(f, "truck", "speed").max().idxmax())]),
    Asked("mittlere Temperatur im Kühlraum Hamburg am 10. Januar", lambda f: [Number(_cells(f, "cold_room", "temperature", "R02", SAT).mean(), "degC")]),
    Asked("Wie oft war die Tür von R01 offen?", lambda f: [_door_counts(f, "R01", 1)]),
    Asked("Wie hoch ist die Auslastung der Gabelstapler?", lambda f: [Number(_used(f, "F01", "F02"), "%")]),
    Asked("Zu wie viel Prozent wurde die Kühlkette eingehalten?", lambda f: [Number(_cold_share(f), "%", 0.0005)]),
    Asked("Wie viele Fahrten gab es von Frankfurt nach München?", lambda f: _trip_counts(f, origin="FRA", destination="MUC"), "planned, begun, ended or due"),
    Asked("Welche Pakete nach Berlin sind noch nicht zugestellt?", lambda f: [names(_undelivered(f, destination="BER").index)]),
    Asked("wie lange hat F01 am mittwoch geladen?", lambda f: [Number(float((_cells(f, "forklift", "mode", "F01", WED) == 2).sum()) * 10, "min")]),
    Asked("wieviele Pakete wurden am 8.1. zugestellt?", lambda f: [Number(int(within(f.assets("parcel")["delivered"], *THU).sum()), tolerance=0)]),
    Asked("How much did the diesel cost last week?", lambda _: [Refuse()]),
    Asked("Wie heißt der Fahrer von T012?", lambda _: [Refuse()]),
    Asked("What was the temperature in the Berlin cold room yesterday?", lambda _: [Refuse()]),
    Asked("How many parcels were damaged in Munich?", lambda _: [Refuse()]),
    Asked("Wie viel CO2 hat jedes Paket verursacht?", lambda _: [Refuse()]),
]  # fmt: skip
