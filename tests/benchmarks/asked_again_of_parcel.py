"""Fifty more questions about a parcel network, by another somebody who hadn't read the parser, with answers by pandas."""

from __future__ import annotations

import pandas as pd

from tests.benchmarks.asked_parcels import (
    FRI,
    NOW,
    SAT,
    THU,
    TUE,
    WED,
    Truths,
    began,
    best,
    cells,
    distance,
    driven,
    each,
    each_day,
    events,
    groups,
    how_many,
    known,
    lasting,
    late,
    links,
    most,
    now,
    number,
    on_time,
    refuse,
    share_of,
    share_of_each,
    table,
    time_of,
    time_of_each,
    when,
)
from tests.benchmarks.asked_truth import Asked, Facts, Groups, Number, Starts, Truth, minutes, name, names, runs


def too_warm(f: Facts) -> list[Truth]:
    """The rule's spells, with their starts and their sum."""
    true = f.cells("cold_room", "temperature")["R02"] > 8
    return [name("R02"), names(["R02"]), Number(5.0 * int(true.sum()), "min"), Starts(frozenset(runs(true)))]


def door_spells(f: Facts) -> list[Truth]:
    """Spells of open doors of each room."""
    found = f.cells("cold_room", "door")
    return [Groups({one: len(runs(found[one] == 1)) for one in found})]


def near_midnight(f: Facts) -> list[Truth]:
    """The fuel of T004 at the last report before noon on Thursday."""
    fuel = f.cells("truck", "fuel")["T004"]
    return [Number(fuel[fuel.index <= pd.Timestamp("2026-01-08 12:00")].dropna().iloc[-1], "L")]


def dwell(e: pd.DataFrame) -> list[Truth]:
    """How long parcels stayed, in minutes."""
    return [Number(float(minutes(e.valid_until - e.valid_from).mean()), "min")]


def aboard(truck: str) -> Truths:
    """Parcels on a truck now."""
    return links("carried_by", lambda e: [names(e.source[e.target == truck])], "2026-01-11 23:59")


def farthest(f: Facts) -> list[Truth]:
    """The truck with the most kilometres."""
    return [name(*{km.idxmax() for km in driven(f)})]


def longest_charging(f: Facts) -> list[Truth]:
    """In all."""
    return [name((known(f, "forklift", "mode") == 2).sum().idxmax())]


def undelivered(p: pd.DataFrame) -> list[Truth]:
    """Not delivered by the end of the data."""
    return [Number(int(p.delivered.isna().sum())), names(p.index[p.delivered.isna()])]


def after_promise(p: pd.DataFrame) -> list[Truth]:
    """Delivered after the promise; those still open and due are as good."""
    due = p.delivered.isna() & (p.promised < NOW)
    return [Number(int((p.delivered > p.promised).sum())), Number(int(((p.delivered > p.promised) | due).sum()))]


PARCEL = (
    Asked("how many trucks do we have", table("truck", number)),
    Asked("Wie viele Pakete sind noch nicht zugestellt?", table("parcel", undelivered)),
    Asked("number of parcels handed in at Berlin", table("parcel", lambda p: [Number(int((p.origin == "BER").sum()))])),
    Asked("Which trucks are made by Scania?", table("truck", lambda t: [names(t.index[t.maker == "Scania"])])),
    Asked("heaviest parcel?", table("parcel", lambda p: [name(*p.index[p.weight == p.weight.max()])])),
    Asked(
        "average weight of express parcels",
        table("parcel", lambda p: [Number(p.weight[p.service == "express"].mean(), "kg")]),
    ),
    Asked("How many parcels are chilled?", table("parcel", lambda p: [Number(int(p.chilled.sum()))])),
    Asked("parcels per destination", table("parcel", lambda p: [Groups(p.groupby("destination").size().to_dict())])),
    Asked(
        "How many parcels were delivered after the promised time?",
        table("parcel", after_promise),
        "delivered ones, or open ones that are due too",
    ),
    Asked(
        "How many parcels were delivered on Thursday?",
        table(
            "parcel",
            lambda p: [
                Number(int(p.delivered.between(pd.Timestamp(THU[0]), pd.Timestamp(THU[1]), inclusive="left").sum()))
            ],
        ),
    ),
    Asked("median parcel weight", table("parcel", lambda p: [Number(p.weight.median(), "kg")])),
    Asked("Welche Pakete wiegen mehr als 15 kg?", table("parcel", lambda p: [names(p.index[p.weight > 15])])),
    Asked(
        "where is parcel 10153 now?",
        links("carried_by", lambda e: [name(*e.target[e.source == "10153"])], "2026-01-11 23:59"),
    ),
    Asked(
        "Wo war Paket 10001 am Mittwoch um 10 Uhr?",
        links("held_at", lambda e: [name(*e.target[e.source == "10001"])], "2026-01-07 10:00"),
        "UTC",
    ),
    Asked("Which parcels are on truck T007 right now?", aboard("T007")),
    Asked("Which trucks are based in Munich?", links("based_at", lambda e: [names(e.source[e.target == "MUC"])])),
    Asked("average dwell time at Frankfurt", links("held_at", lambda e: dwell(e[e.target == "FRA"]))),
    Asked("dwell time by hub", links("held_at", groups("target", dwell, "min"))),
    Asked("Wie warm war es im Kühlraum Hamburg im Mittel?", cells("cold_room", "temperature", "mean", "degC", "R02")),
    Asked(
        "max temperature in Kühlraum Hamburg 1 on Saturday",
        cells("cold_room", "temperature", "max", "degC", "R02", *SAT),
    ),
    Asked("which cold room got too warm and for how long", too_warm),
    Asked("when was R02 warmest?", when("cold_room", "temperature", "max", "R02")),
    Asked("average temperature of each cold room", each("cold_room", "temperature", "mean", "degC")),
    Asked("lowest temperature per day in R02", each_day("cold_room", "temperature", "min", "degC", "R02")),
    Asked("How long was the door of R01 open in total?", time_of("cold_room", "door", lambda c: c == 1, "R01")),
    Asked("how many times was the door of each cold room opened?", door_spells),
    Asked(
        "Wie lange lief der Kompressor von R02 am Freitag?",
        time_of("cold_room", "compressor", lambda c: c == 1, "R02", *FRI),
    ),
    Asked("share of time that R01's compressor was on", share_of("cold_room", "compressor", lambda c: c == 1, "R01")),
    Asked("cold chain compliance of each cold room", share_of_each("cold_room", "temperature", lambda c: c <= 8)),
    Asked("what's the battery of F01 now", now("forklift", "battery", "%", "F01")),
    Asked("Which forklift has been charging the longest?", longest_charging),
    Asked("hours driving per forklift", time_of_each("forklift", "mode", lambda c: c == 1)),
    Asked("Forklift uptime on Tuesday", share_of("forklift", "mode", lambda c: c < 2, "", *TUE)),
    Asked("Was war die schwerste Last, die ein Stapler gehoben hat?", cells("forklift", "load", "max", "kg")),
    Asked("median battery of F02 on Wednesday", cells("forklift", "battery", "median", "%", "F02", *WED)),
    Asked("top speed of any truck in km/h", cells("truck", "speed", "max", "km/h")),
    Asked("fastest truck", best("truck", "speed", "max")),
    Asked("How far did T009 drive last week?", distance("T009"), "the week of the data"),
    Asked("total km of the fleet on Wednesday", distance("", *WED)),
    Asked("Which truck drove the farthest?", farthest),
    Asked("how much fuel did T004 have on Thursday at noon?", near_midnight, "the last report until noon"),
    Asked("How many trips left on Friday?", events("trip", began, *FRI)),
    Asked("Wie viele Fahrten wurden storniert?", events("trip", how_many(lambda e: e.status == "cancelled"))),
    Asked("trips by status", events("trip", lambda e: [Groups(e.groupby("status").size().to_dict())])),
    Asked("How many trips began more than 5 minutes late?", events("trip", how_many(late("start", 5)))),
    Asked(
        "average duration of trips from Berlin to Munich",
        events("trip", lasting("mean"), origin="BER", destination="MUC"),
    ),
    Asked("on-time delivery by destination", events("leg", groups("destination", on_time, "%"))),
    Asked(
        "Which truck had the most parcel legs?",
        events("leg", most(lambda e: e.groupby("truck").size(), lambda e: e[e.start.notna()].groupby("truck").size())),
    ),
    Asked("What was the mood of the driver of T005?", refuse),
    Asked("Wie hoch war die Miete des Hubs Frankfurt im Januar?", refuse),
)
