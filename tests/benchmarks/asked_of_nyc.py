"""Fifty questions about the air network of New York, written by somebody who hadn't read the parser, with answers by pandas.

Days and months are UTC. A flight counts in the span of its planned departure; where that of its actual departure gives another
number, both are right.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from tests.benchmarks.asked_truth import (
    Asked,
    Facts,
    Groups,
    Moment,
    Number,
    Refuse,
    Starts,
    Truth,
    YesNo,
    longest,
    minutes,
    name,
    names,
    runs,
    within,
)  # fmt: skip


def _air(facts: Facts, signal: str, airport: str | None = None, span: tuple[str, str] | None = None) -> Any:
    cells = facts.cells("airport", signal)
    if span:
        cells = cells[(cells.index >= span[0]) & (cells.index < span[1])]
    return cells if airport is None else cells[airport]


def _flights(
    facts: Facts, span: tuple[str, str] | None = None, by: str = "planned_start", **links: str
) -> pd.DataFrame:
    flights = facts.events("flight")
    for column, value in links.items():
        flights = flights[flights[column] == value]
    return flights[within(flights[by], *span)] if span else flights


def _counts(facts: Facts, span: tuple[str, str] | None = None, **links: str) -> list[Truth]:
    planned, actual = _flights(facts, span, **links), _flights(facts, span, by="start", **links) if span else None
    left = planned[planned["start"].notna()]
    return [Number(len(one), tolerance=0) for one in (planned, left, actual) if one is not None]


def _start_delay(flights: pd.DataFrame) -> pd.Series:
    return minutes(flights["start"] - flights["planned_start"])


def _end_delay(flights: pd.DataFrame) -> pd.Series:
    return minutes(flights["end"] - flights["planned_end"])


def _delays(flights: pd.DataFrame) -> list[Truth]:
    both = [delay(flights).dropna() for delay in (_end_delay, _start_delay)]
    return [Number(d.mean(), "min") for d in both] + [Number(d.clip(lower=0).mean(), "min") for d in both] + [
        Number(d[d > 0].mean(), "min") for d in both
    ]  # fmt: skip


def _punctual(flights: pd.DataFrame, delay: object = _end_delay) -> float:
    late = delay(flights).dropna()  # type: ignore[operator]
    return float((late <= 14).mean() * 100)


def _worst_airline(facts: Facts) -> list[Truth]:
    flights = _flights(facts)
    delay = _end_delay(flights)
    by = delay.groupby(flights["airline"])
    late = delay.clip(lower=0).groupby(flights["airline"])
    return [name(by.mean().idxmax()), name(late.mean().idxmax()), name(late.sum().idxmax())]


def _punctual_airline(facts: Facts) -> list[Truth]:
    by = _flights(facts).groupby("airline")
    return [name(by.apply(_punctual, delay=one).idxmax()) for one in (_end_delay, _start_delay)]


def _busiest_plane(facts: Facts) -> list[Truth]:
    flights = _flights(facts)
    flown = flights[flights["start"].notna()]
    by = flown.groupby("asset")
    return [name(one) for one in (by.size().idxmax(), flights["asset"].value_counts().idxmax(), by["distance"].sum().idxmax(),
                                  by["air_time"].sum().idxmax())]  # fmt: skip


def _late_by(
    facts: Facts, limit: float, span: tuple[str, str], delays: tuple[object, ...] = (_end_delay, _start_delay)
) -> list[Truth]:
    truths: list[Truth] = []
    for delay in delays:
        for by in ("planned_start", "start", "planned_end"):
            flights = _flights(facts, span, by=by)
            truths.append(Number(int((delay(flights) > limit).sum()), tolerance=0))  # type: ignore[operator]
    return truths


def _cancel_share(flights: pd.DataFrame) -> float:
    return float(flights["start"].isna().mean() * 100)


def _worst_day(facts: Facts) -> list[Truth]:
    flights = _flights(facts)
    by = flights["start"].isna().groupby(flights["planned_start"].dt.floor("D"))
    return [Moment(frozenset([by.sum().idxmax()]), day=True), Moment(frozenset([by.mean().idxmax()]), day=True)]


def _hours(true: pd.Series) -> Number:
    return Number(float(true.sum()), "h")


def _events_or_hours(true: pd.Series) -> list[Truth]:
    return [Number(len(runs(true)), tolerance=0), Number(float(true.sum()), tolerance=0), _hours(true)]


def _fog(facts: Facts, airport: str, span: tuple[str, str] | None = None) -> pd.Series:
    return _air(facts, "visibility", airport, span) < 1


def _coldest_times(facts: Facts) -> list[Truth]:
    cells = _air(facts, "temperature", "JFK")
    return [Moment(frozenset(cells.index[cells == cells.min()]))]


def _months(facts: Facts) -> list[Truth]:
    rain = _air(facts, "precipitation", "EWR").resample("MS").sum()
    return [Groups(dict(rain.items()), "mm")]


def _years(facts: Facts) -> list[Truth]:
    return [*_counts(facts, origin="EWR"), *_counts(facts, ("2013-01-01", "2014-01-01"), origin="EWR")]


def _stormiest(facts: Facts) -> list[Truth]:
    gusts = _air(facts, "wind_gust") > 20
    return [name(max(gusts, key=lambda one: len(runs(gusts[one])))), name(gusts.sum().idxmax())]


def _by_origin(facts: Facts, share: object) -> list[Truth]:
    return [Groups(dict(_flights(facts).groupby("origin").apply(share).items()), "%")]  # type: ignore[call-overload]


FEB, MAR, AUG = ("2013-02-01", "2013-03-01"), ("2013-03-01", "2013-04-01"), ("2013-08-01", "2013-09-01")
JAN, JUN, JUL, MAY = (
    ("2013-01-01", "2013-02-01"),
    ("2013-06-01", "2013-07-01"),
    ("2013-07-01", "2013-08-01"),
    ("2013-05-01", "2013-06-01"),
)
DEC, HALF, SUMMER = ("2013-12-01", "2014-01-01"), ("2013-01-01", "2013-07-01"), ("2013-06-01", "2013-09-01")

NYC = [
    Asked("How many flights left Newark in 2013?", _years, "planned, or those that departed"),
    Asked("what was the hottest it got at JFK?", lambda f: [Number(_air(f, "temperature", "JFK").max(), "degC")]),
    Asked("coldest airport on average in january", lambda f: [name(_air(f, "temperature", span=JAN).mean().idxmin())]),
    Asked("average wind speed at LaGuardia in March 2013 in km/h", lambda f: [Number(_air(f, "wind_speed", "LGA", MAR).mean() * 3.6, "km/h")]),
    Asked("how many flights were cancelled on February 9",
          lambda f: [Number(int(_flights(f, ("2013-02-09", "2013-02-10"))["start"].isna().sum()), tolerance=0)]),
    Asked("Which airline had the most flights?", lambda f: [name(_flights(f)["airline"].value_counts().idxmax())]),
    Asked("share of on-time departures per airport", lambda f: _by_origin(f, lambda g: _punctual(g, _start_delay))),
    Asked("on-time arrivals of Delta in July", lambda f: [Number(_punctual(_flights(f, JUL, by, airline="DL")), "%") for by in
          ("planned_start", "planned_end")], "by planned departure or arrival"),
    Asked("How often did gusts exceed 20 m/s at JFK?", lambda f: _events_or_hours(_air(f, "wind_gust", "JFK") > 20), "events, or hourly reports"),
    Asked("When was visibility below 1 km at Newark in January?", lambda f: [Starts(frozenset(runs(_fog(f, "EWR", JAN))))]),
    Asked("total rain in June, by airport", lambda f: [Groups(dict(_air(f, "precipitation", span=JUN).sum().items()), "mm")]),
    Asked("which destination is furthest away", lambda f: [name(_flights(f).groupby("destination")["distance"].max().idxmax())]),
    Asked("mean departure delay of JetBlue flights to Boston", lambda f: [Number(_start_delay(_flights(f, airline="B6", destination="BOS")).mean(), "min")]),
    Asked("top 5 destinations", lambda f: [names(_flights(f)["destination"].value_counts().index[:5])]),
    Asked("which plane flew the most?", _busiest_plane, "flights, distance or time in the air"),
    Asked("how many aircraft have 4 engines?", lambda f: [Number(int((f.assets("aircraft")["engines"] == 4).sum()), tolerance=0)]),
    Asked("number of Boeing planes", lambda f: [Number(int((f.assets("aircraft")["manufacturer"] == "BOEING").sum()), tolerance=0)]),
    Asked("How high is the airport of Denver above sea level?", lambda f: [Number(f.assets("airport").loc["DEN", "altitude"], "m")]),
    Asked("was there fog at La Guardia on 2013-05-10?", lambda f: [YesNo(bool(_fog(f, "LGA", ("2013-05-10", "2013-05-11")).any()))]),
    Asked("longest fog at JFK", lambda f: [Number(longest(_fog(f, "JFK")), "h")]),
    Asked("Which of the three airports had the most storm gusts", _stormiest, "events, or hourly reports"),
    Asked("flights more than 3 hours late in December", lambda f: _late_by(f, 180, DEC), "departure or arrival late; in December by plan or in fact"),
    Asked("compare the average temperature of JFK and EWR in August",
          lambda f: [Groups(dict(_air(f, "temperature", span=AUG)[["JFK", "EWR"]].mean().items()), "degC")]),
    Asked("what's the average delay for flights to Chicago O'Hare?", lambda f: _delays(_flights(f, destination="ORD")),
          "departure or arrival; all, early as zero, or only late ones"),
    Asked("worst day for cancellations", _worst_day, "most, or the highest share"),
    Asked("relative humidity at JFK at 12:00 UTC on 4 July 2013", lambda f: [Number(_air(f, "relative_humidity", "JFK")["2013-07-04 12:00"], "%")]),
    Asked("average air time from JFK to SFO", lambda f: [Number(_flights(f, origin="JFK", destination="SFO")["air_time"].mean(), "min")]),
    Asked("median dew point at LGA, June to August", lambda f: [Number(_air(f, "dew_point", "LGA", SUMMER).median(), "degC")]),
    Asked("how many hours was it below freezing at Newark?", lambda f: [_hours(_air(f, "temperature", "EWR") < 0)]),
    Asked("How long was the visibility under 1000 m in total at JFK in May?", lambda f: [_hours(_fog(f, "JFK", MAY))]),
    Asked("Which airline has the worst arrival delays?", _worst_airline, "mean, mean with early as zero, or total"),
    Asked("cancellation rate in Feb", lambda f: [Number(_cancel_share(_flights(f, FEB)), "%")]),
    Asked("show me the monthly precipitation at EWR", _months),
    Asked("United flights from LGA to Denver in the first half of 2013", lambda f: _counts(f, HALF, origin="LGA", destination="DEN", airline="UA"),
          "planned, or those that departed"),
    Asked("how many times did the temperature at Kennedy go over 95 °F", lambda f: _events_or_hours(_air(f, "temperature", "JFK") > 35),
          "events, or hourly reports"),
    Asked("Wie viele Flüge gab es im Juli ab JFK?", lambda f: _counts(f, JUL, origin="JFK"), "planned, or those that departed"),
    Asked("Welcher Flughafen hatte den stärksten Wind?", lambda f: [name(_air(f, one).max().idxmax()) for one in ("wind_speed", "wind_gust")],
          "wind or gusts"),
    Asked("Durchschnittstemperatur in Newark im Februar", lambda f: [Number(_air(f, "temperature", "EWR", FEB).mean(), "degC")]),
    Asked("wie lange war in LaGuardia im dezember die sicht unter 1 km?", lambda f: [_hours(_fog(f, "LGA", DEC))]),
    Asked("Anteil ausgefallener Flüge nach Abflughafen", lambda f: _by_origin(f, _cancel_share)),
    Asked("Niederschlag in JFK am 7. Juni 2013", lambda f: [Number(_air(f, "precipitation", "JFK", ("2013-06-07", "2013-06-08")).sum(), "mm")]),
    Asked("Welche Fluggesellschaft war am pünktlichsten?", _punctual_airline, "arrivals or departures at most 14 minutes late"),
    Asked("Wie viele Sitze hat das Flugzeug N14228?", lambda f: [Number(f.assets("aircraft").loc["N14228", "seats"])]),
    Asked("Wann war es in JFK am kältesten?", _coldest_times),
    Asked("Flüge mit mehr als 2 Stunden Abflugverspätung im August", lambda f: _late_by(f, 120, AUG, (_start_delay,)), "August by plan or in fact"),
    Asked("how many passengers flew from JFK in 2013?", lambda _: [Refuse()]),
    Asked("Wie viel Kerosin wurde im Juli verbraucht?", lambda _: [Refuse()]),
    Asked("how many flights left Newark in 2015?", lambda _: [Refuse(), Number(0, tolerance=0, noted=True)], "a refusal, or none with a note"),
    Asked("What did a ticket to Miami cost on average?", lambda _: [Refuse()]),
    Asked("who was the pilot of the first flight on January 1?", lambda _: [Refuse()]),
]  # fmt: skip
