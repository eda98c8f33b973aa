"""Fifty more questions about the air network of New York, by another somebody who hadn't read the parser, with answers by pandas."""

from __future__ import annotations

import pandas as pd

from tests.benchmarks.asked_flights import (
    airports,
    at_least,
    by,
    cancelled,
    count,
    day_of_most,
    each_day,
    flights,
    flown,
    groups,
    hours,
    left,
    longest_of,
    mean,
    means,
    months,
    months_of_most,
    most,
    planes,
    planned,
    punctual,
    punctual_arrivals,
    refuse,
    share_cancelled,
    sizes,
    weather,
    when,
)
from tests.benchmarks.asked_truth import Asked, Facts, Groups, Number, Truth, YesNo, minutes, name, names, runs

JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC = (
    (f"2013-{month:02}", f"2013-{month + 1:02}" if month < 12 else "2014-01") for month in range(1, 13)
)


def jfk_is_wet(f: Facts) -> list[Truth]:
    """Return whether it rains at the end of the data."""
    last = f.cells("airport", "precipitation")["JFK"].dropna().iloc[-1]
    return [YesNo(bool(last > 0)), Number(last, "mm")]


def at_noon(f: Facts) -> list[Truth]:
    """Noon UTC, or noon in New York."""
    cells = f.cells("airport", "temperature")["LGA"]
    return [Number(cells[pd.Timestamp(f"2013-07-04 {hour}:00")], "degC") for hour in (12, 16)]


def storms(f: Facts) -> list[Truth]:
    """Storms are runs of hours with gusts above 20 m/s; a missing hour may end one."""
    cells = f.cells("airport", "wind_gust")
    found = [
        {one: len(runs(cells[one] > 20)) for one in cells},
        {one: len(runs(cells[one].dropna() > 20)) for one in cells},
    ]
    return [Groups(one) for one in found] + [Groups({key: n for key, n in one.items() if n}) for one in found]


def foggiest(f: Facts) -> list[Truth]:
    """By hours, or by the number of spells."""
    true = f.cells("airport", "visibility") < 1
    spells = pd.Series({one: len(runs(true[one])) for one in true})
    return [name(true.sum().idxmax(), spells.idxmax())]


def late_share(e: pd.DataFrame) -> list[Truth]:
    """Of the flights that arrived, or of all."""
    late = (e.arrival_delay > 60).sum()
    return [Number(100 * late / n, "%") for n in (e.arrival_delay.notna().sum(), len(e), e.start.notna().sum())]


NYC = (
    Asked("number of flights from JFK in june", flights(count, *JUN, origin="JFK")),
    Asked("How many flights did Delta operate in July 2013?", flights(count, *JUL, airline="DL")),
    Asked("wie viele Flüge gingen im August von LaGuardia ab?", flights(left, *AUG, origin="LGA")),
    Asked("How many flights to Chicago O'Hare were there?", flights(count, destination="ORD")),
    Asked("how many UA flights were cancelled in february", planned(cancelled, *FEB, airline="UA")),
    Asked(
        "how many aircraft are made by Airbus?",
        planes(
            lambda a: [
                Number(int((a.manufacturer == "AIRBUS").sum())),
                Number(int(a.manufacturer.str.contains("AIRBUS", na=False).sum())),
            ]
        ),
        "with or without Airbus Industrie",
    ),
    Asked("How many planes have more than 300 seats?", planes(lambda a: [Number(int((a.seats > 300).sum()))])),
    Asked("what's the oldest plane", planes(lambda a: [name(*a.index[a.built == a.built.min()])])),
    Asked("How many airports lie above 2000 m?", planes(lambda a: [Number(int((a.altitude > 2000).sum()))], "airport")),
    Asked("which airport is the highest?", planes(lambda a: [name(a.altitude.idxmax())], "airport")),
    Asked("list all airlines", planes(lambda a: [names(a.index)], "airline")),
    Asked("Which airline had the most flights out of Newark?", flights(most(sizes("airline")), origin="EWR")),
    Asked("average departure delay by airline", flights(groups("airline", mean("departure_delay"), "min"))),
    Asked("mean arrival delay per origin in december", flights(groups("origin", mean("arrival_delay"), "min"), *DEC)),
    Asked(
        "median air time of flights to LAX", flights(lambda e: [Number(e.air_time.median(), "min")], destination="LAX")
    ),
    Asked("What was the maximum departure delay?", flights(lambda e: [Number(e.departure_delay.max(), "min")])),
    Asked("which flight arrived with the longest delay?", flights(longest_of("arrival_delay"))),
    Asked("Wie heiß wurde es maximal in Newark im Juli?", weather("temperature", by("max", "degC"), "EWR", *JUL)),
    Asked("lowest temp at JFK in January", weather("temperature", by("min", "degC"), "JFK", *JAN)),
    Asked("average wind speed per month at LGA", weather("wind_speed", months("mean", "m/s"), "LGA")),
    Asked("total rain at JFK in May 2013, in mm", weather("precipitation", by("sum", "mm"), "JFK", *MAY)),
    Asked("Median temperature at Newark in April", weather("temperature", by("median", "degC"), "EWR", *APR)),
    Asked("When was the strongest gust at LaGuardia?", weather("wind_gust", when("max"), "LGA")),
    Asked("how many hours was visibility below 1 km at JFK", weather("visibility", hours(lambda c: c < 1), "JFK")),
    Asked("Which airport had the most fog?", foggiest, "hours, or spells"),
    Asked("On-time departures in March", flights(punctual, *MAR)),
    Asked("cancellation rate by origin", flights(groups("origin", share_cancelled, "%"))),
    Asked("Pünktlichkeit der Abflüge je Flughafen im Juli", flights(groups("origin", punctual, "%"), *JUL)),
    Asked("Which month had the worst on-time arrivals?", months_of_most(punctual_arrivals, least=True)),
    Asked(
        "How many minutes of arrival delay were there in February?",
        flights(
            lambda e: [Number(e.arrival_delay.clip(lower=0).sum(), "min"), Number(e.arrival_delay.sum(), "min")], *FEB
        ),
        "late ones only, or early ones set off",
    ),
    Asked("Is it raining at JFK right now?", jfk_is_wet),
    Asked("What was the temperature at LGA on July 4th at noon?", at_noon, "UTC, or New York's"),
    Asked(
        "Were there any storms at Newark in March?",
        lambda f: [YesNo(bool((f.cells("airport", "wind_gust")["EWR"].loc["2013-03"] > 20).any()))],
    ),
    Asked("how many storms did each airport have?", storms),
    Asked(
        "flights that departed more than 3 hours late in June, how many?",
        flights(at_least("departure_delay", 180), *JUN),
    ),
    Asked("share of flights that arrived more than 60 min late", flights(late_share), "of arrived, flown or planned"),
    Asked(
        "Which plane flew the most?",
        flights(
            most(
                lambda e: flown(e).groupby("asset").size(),
                *(lambda e, c=c: flown(e).groupby("asset")[c].sum() for c in ("air_time", "distance")),
            )
        ),
    ),
    Asked(
        "total distance flown by JetBlue in miles",
        flights(lambda e: [Number(flown(e).distance.sum(), "km"), Number(e.distance.sum(), "km")], airline="B6"),
    ),
    Asked(
        "Was Delta or JetBlue later on average at arrival?",
        flights(most(means("airline", "arrival_delay")), airline=("DL", "B6")),
    ),
    Asked("What was the busiest day?", flights(day_of_most)),
    Asked(
        "How long does a flight from JFK to LAX take on average?",
        flights(
            lambda e: [Number(e.air_time.mean(), "min"), Number(minutes(e.end - e.start).mean(), "min")],
            origin="JFK",
            destination="LAX",
        ),
    ),
    Asked(
        "Does Hawaiian Airlines fly from LaGuardia?",
        flights(lambda e: [YesNo(len(e) > 0), Number(len(e))], airline="HA", origin="LGA"),
    ),
    Asked(
        "How many different destinations does Southwest serve?",
        flights(lambda e: [Number(e.destination.nunique()), Number(flown(e).destination.nunique())], airline="WN"),
    ),
    Asked(
        "Welche Fluggesellschaft hatte die meisten Ausfälle?",
        flights(
            most(lambda e: e.start.isna().groupby(e.airline).sum(), lambda e: e.start.isna().groupby(e.airline).mean())
        ),
    ),
    Asked("Tägliche Höchsttemperatur in JFK im Mai", weather("temperature", each_day("max", "degC"), "JFK", *MAY)),
    Asked(
        "Durchschnittliche Luftfeuchtigkeit je Flughafen im August", airports("relative_humidity", "mean", "%", *AUG)
    ),
    Asked("How many passengers flew to Miami?", refuse),
    Asked("What did the fuel for UA flights cost in June?", refuse),
    Asked("Wie warm war es in Boston am 8. Februar?", refuse, "Boston has no weather"),
    Asked("Will flight UA 1545 be late tomorrow?", refuse),
)
