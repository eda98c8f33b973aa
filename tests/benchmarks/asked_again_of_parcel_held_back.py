"""Fifty questions about a parcel network that the parser isn't corrected with: they are asked once, at the end."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from tests.benchmarks.asked_parcels import (
    FRI,
    MON,
    SAT,
    SUN,
    THU,
    TUE,
    WED,
    best,
    cells,
    count,
    distance,
    driven,
    each,
    each_day,
    events,
    groups,
    how_many,
    known,
    late,
    links,
    number,
    refuse,
    share_of,
    table,
    time_of,
    time_of_each,
    when,
)
from tests.benchmarks.asked_truth import (
    Facts,
    Groups,
    Moment,
    Number,
    Truth,
    YesNo,
    held_back,
    minutes,
    name,
    names,
)


def dwell(how: str) -> Callable[[pd.DataFrame], list[Truth]]:
    """How long parcels stayed, in minutes."""
    return lambda e: [Number(float(minutes(e.valid_until - e.valid_from).agg(how)), "min")]


def daily_parcels(p: pd.DataFrame) -> list[Truth]:
    """Parcels handed in on each day."""
    return [Groups(p.registered.dt.floor("D").value_counts().to_dict())]


def express_share(p: pd.DataFrame) -> list[Truth]:
    """Of all parcels."""
    return [Number(100 * (p.service == "express").mean(), "%")]


def transit(p: pd.DataFrame) -> list[Truth]:
    """From being handed in until delivery."""
    return [Number(float(minutes(p.delivered - p.registered).mean()), "min")]


def open_now(f: Facts) -> list[Truth]:
    """Whether the door is open at the end."""
    return [YesNo(bool(known(f, "cold_room", "door", "R02")["R02"].dropna().iloc[-1] == 1))]


def ever_low(f: Facts) -> list[Truth]:
    """Whether a battery was below 15 %, the rule's limit."""
    low = int((known(f, "forklift", "battery") < 15).to_numpy().sum())
    return [YesNo(low > 0), Number(low)]


def energy(f: Facts) -> list[Truth]:
    """The KPI over the whole week, or for its days; by 3 kW, the hours on, and the legs that began at the hubs."""
    return [
        Number(
            float(f.twin.kpi("energy_per_parcel", every="7d", start="2026-01-05", stop="2026-01-12").value.item()),
            "kWh",
        )
    ]


def kinetic(f: Facts) -> list[Truth]:
    """The KPI of each room."""
    found = f.twin.kpi("mean_kinetic_temperature", by="asset").value.isel(time=0).to_series()
    return [Groups(found.to_dict(), "degC")]


def busy(f: Facts) -> list[Truth]:
    """Driving, of the time in which it didn't charge."""
    mode = known(f, "forklift", "mode")
    return [Groups(dict(100 * (mode == 1).sum() / ((mode == 0) | (mode == 1)).sum()), "%")]


def day_of_trips(e: pd.DataFrame) -> list[Truth]:
    """The day on which most trips were planned, or left; several may be equal."""
    found = set()
    for at in ("planned_start", "start"):
        sizes = e[at].dropna().dt.floor("D").value_counts()
        found |= set(sizes.index[sizes == sizes.max()])
    return [Moment(frozenset(found), day=True)]


def low_fuel(f: Facts) -> list[Truth]:
    """The truck with the least fuel at the end, or ever."""
    fuel = known(f, "truck", "fuel")
    return [name(fuel.ffill().iloc[-1].idxmin(), fuel.min().idxmin())]


def at_hub(f: Facts) -> list[Truth]:
    """Parcels that were at Frankfurt on Thursday at noon."""
    e, at = f.links("held_at"), pd.Timestamp("2026-01-08 12:00")
    here = e[(e.target == "FRA") & (e.valid_from <= at) & ~(e.valid_until <= at)]
    return [Number(here.source.nunique()), names(here.source)]


PARCEL = (
    held_back("how many forklifts are there?", table("forklift", number)),
    held_back("how many trucks of each maker", table("truck", lambda t: [Groups(t.groupby("maker").size().to_dict())])),
    held_back(
        "Welcher LKW hat den größten Tank?",
        table("truck", lambda t: [name(*t.index[t.tank == t.tank.max()]), names(t.index[t.tank == t.tank.max()])]),
        "one of six, or all",
    ),
    held_back("average payload of the trucks in tonnes", table("truck", lambda t: [Number(t.payload.mean(), "kg")])),
    held_back(
        "What is the upper limit of R01?", table("cold_room", lambda r: [Number(float(r.upper_limit["R01"]), "degC")])
    ),
    held_back(
        "how many express parcels were there", table("parcel", lambda p: [Number(int((p.service == "express").sum()))])
    ),
    held_back("share of express parcels", table("parcel", express_share)),
    held_back(
        "total weight of all parcels to Hamburg",
        table("parcel", lambda p: [Number(p.weight[p.destination == "HAM"].sum(), "kg")]),
    ),
    held_back("lightest parcel", table("parcel", lambda p: [name(*p.index[p.weight == p.weight.min()])])),
    held_back(
        "mean weight of parcels by origin",
        table("parcel", lambda p: [Groups(p.groupby("origin").weight.mean().to_dict(), "kg")]),
    ),
    held_back(
        "How many parcels were handed in on Monday?",
        table(
            "parcel",
            lambda p: [
                Number(int(p.registered.between(pd.Timestamp(MON[0]), pd.Timestamp(MON[1]), inclusive="left").sum()))
            ],
        ),
    ),
    held_back("Wie viele Pakete wurden pro Tag aufgegeben?", table("parcel", daily_parcels)),
    held_back("How long does it take on average from handing in a parcel to its delivery?", table("parcel", transit)),
    held_back(
        "parcels from Munich to Hamburg, how many?",
        table("parcel", lambda p: [Number(int(((p.origin == "MUC") & (p.destination == "HAM")).sum()))]),
    ),
    held_back(
        "When was parcel 10001 delivered?", table("parcel", lambda p: [Moment(frozenset({p.delivered["10001"]}))])
    ),
    held_back(
        "Wo ist Paket 10186 gerade?",
        links("carried_by", lambda e: [name(*e.target[e.source == "10186"])], "2026-01-11 23:59"),
    ),
    held_back(
        "How many parcels are on truck T020 now?",
        links(
            "carried_by",
            lambda e: [Number(int((e.target == "T020").sum())), names(e.source[e.target == "T020"])],
            "2026-01-11 23:59",
        ),
    ),
    held_back("How many parcels were at Frankfurt on Thursday at 12:00?", at_hub),
    held_back("At which hub does F01 work?", links("works_at", lambda e: [name(*e.target[e.source == "F01"])])),
    held_back(
        "Welche Kühlräume gehören zu Frankfurt?",
        links("part_of", lambda e: [name(*e.source[e.target == "FRA"]), names(e.source[e.target == "FRA"])]),
    ),
    held_back(
        "how many trucks are based at each hub",
        links("based_at", lambda e: [Groups(e.groupby("target").size().to_dict())]),
    ),
    held_back("longest stay of a parcel at Hamburg", links("held_at", lambda e: dwell("max")(e[e.target == "HAM"]))),
    held_back(
        "Durchschnittliche Verweildauer in München", links("held_at", lambda e: dwell("mean")(e[e.target == "MUC"]))
    ),
    held_back("how long was it above 8 °C in R02", time_of("cold_room", "temperature", lambda c: c > 8, "R02")),
    held_back(
        "How many hours was R02 warmer than 5 degrees on Saturday?",
        time_of("cold_room", "temperature", lambda c: c > 5, "R02", *SAT),
    ),
    held_back("Höchsttemperatur je Kühlraum am Sonntag", each("cold_room", "temperature", "max", "degC", *SUN)),
    held_back("mean temperature of R02 per day", each_day("cold_room", "temperature", "mean", "degC", "R02")),
    held_back("median temperature of R01", cells("cold_room", "temperature", "median", "degC", "R01")),
    held_back("Which room is colder on average, R01 or R02?", best("cold_room", "temperature", "mean", least=True)),
    held_back("mean kinetic temperature per room", kinetic),
    held_back("is the door of R02 open now?", open_now),
    held_back("door open time by cold room", time_of_each("cold_room", "door", lambda c: c == 1)),
    held_back("Anteil der Zeit mit offener Tür in R02", share_of("cold_room", "door", lambda c: c == 1, "R02")),
    held_back("energy per parcel leg this week", energy, "the week of the data"),
    held_back("Was a forklift's battery ever below 15 %?", ever_low),
    held_back("When was F02's battery lowest?", when("forklift", "battery", "min", "F02")),
    held_back("Forklift utilisation by forklift", busy),
    held_back("Wie lange war F01 am Dienstag am Laden?", time_of("forklift", "mode", lambda c: c == 2, "F01", *TUE)),
    held_back(
        "average speed of T001 while... just the average speed on Friday",
        cells("truck", "speed", "mean", "km/h", "T001", *FRI),
    ),
    held_back("Which truck has the least fuel?", low_fuel, "at the end, or ever"),
    held_back("distance driven per truck", lambda f: [Groups(dict(km), "km", 0.01) for km in driven(f)]),
    held_back("Wie viele Kilometer fuhr T013 am Donnerstag?", distance("T013", *THU)),
    held_back("How many trips went from Frankfurt to Berlin?", events("trip", count, origin="FRA", destination="BER")),
    held_back("which day had the most trips", events("trip", day_of_trips)),
    held_back("Wie viele Fahrten sind gerade unterwegs?", events("trip", how_many(lambda e: e.status == "under way"))),
    held_back(
        "longest trip", events("trip", lambda e: [name(*e.event_id[(e.end - e.start) == (e.end - e.start).max()])])
    ),
    held_back(
        "total delay of trips by origin in minutes",
        events(
            "trip",
            groups(
                "origin",
                lambda e: [Number(float(minutes(e.start - e.planned_start).clip(lower=0).sum()), "min")],
                "min",
            ),
        ),
    ),
    held_back(
        "How many legs arrived more than 30 min late on Wednesday?",
        events("leg", how_many(late("end", 30)), *WED, at=("planned_start", "start", "planned_end", "end")),
    ),
    held_back("Which truck driver is on holiday?", refuse),
    held_back("how many parcels were damaged", refuse),
)
