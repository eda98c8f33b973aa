"""Fifty questions about the air network of New York that the parser isn't corrected with: they are asked once, at the end."""

from __future__ import annotations

from tests.benchmarks.asked_again_of_nyc import APR, AUG, DEC, FEB, JAN, JUL, JUN, MAR, MAY, NOV, OCT, SEP
from tests.benchmarks.asked_flights import (
    Truths,
    airport_of,
    airports,
    at_least,
    by,
    cancelled,
    count,
    each_day,
    flights,
    flown,
    groups,
    hours,
    left,
    longest_of,
    mean,
    months,
    months_of_most,
    most,
    planes,
    planned,
    punctual,
    punctual_arrivals,
    refuse,
    share_cancelled,
    weather,
    when,
)
from tests.benchmarks.asked_truth import (
    Facts,
    Moment,
    Number,
    Truth,
    YesNo,
    held_back,
    longest,
    minutes,
    name,
    names,
    runs,
    within,
)


def windy_days(f: Facts) -> list[Truth]:
    """Days on which a gust of some hour was above 20 m/s."""
    cells = f.cells("airport", "wind_gust")["JFK"]
    return [Number(int((cells.resample("D").max() > 20).sum()))]


def wettest_day(f: Facts) -> list[Truth]:
    """The day with the greatest sum."""
    cells = f.cells("airport", "precipitation").resample("D").sum()
    return [Moment(frozenset({cells["LGA"].idxmax()}), day=True)]


def frost(f: Facts) -> list[Truth]:
    """The longest run of hours below 0 degrees; a missing hour ends it or doesn't."""
    cells = f.cells("airport", "temperature")["EWR"]
    return [Number(60.0 * longest(one < 0), "min") for one in (cells, cells.dropna())]


def at_end(signal: str, airport: str, unit: str) -> Truths:
    """The last value."""
    return lambda f: [Number(f.cells("airport", signal)[airport].dropna().iloc[-1], unit)]


def warmer(f: Facts) -> list[Truth]:
    """By the mean of July."""
    found = f.cells("airport", "temperature").loc["2013-07", ["JFK", "LGA"]].mean()
    return [name(found.idxmax())]


def snowstorm(f: Facts) -> list[Truth]:
    """How many of the flights planned at Newark on 8 February never left."""
    e = f.events("flight")
    e = e[within(e.planned_start, "2013-02-08", "2013-02-09") & (e.origin == "EWR")]
    return [Number(int(e.start.isna().sum()))]


def met(f: Facts) -> list[Truth]:
    """Whether 80 % of the departures of June were on time."""
    (value, *_) = flights(punctual, *JUN)(f)
    return [YesNo(value.value >= 80), value]  # type: ignore[union-attr]


NYC = (
    held_back("departures per airport in october", flights(groups("origin", count), *OCT)),
    held_back("How many flights did each airline fly in 2013?", flights(groups("airline", count))),
    held_back("How many American flights left LGA in November?", flights(left, *NOV, airline="AA", origin="LGA")),
    held_back("Wie viele Flüge nach San Francisco gab es im April?", flights(count, *APR, destination="SFO")),
    held_back("cancelled flights in March", planned(cancelled, *MAR)),
    held_back("How many flights from Newark never left on 8 February 2013?", snowstorm),
    held_back(
        "Wie viele Flugzeuge hat Boeing gebaut?", planes(lambda a: [Number(int((a.manufacturer == "BOEING").sum()))])
    ),
    held_back("what is the average number of seats of the aircraft", planes(lambda a: [Number(a.seats.mean())])),
    held_back("Which aircraft has the most seats?", planes(lambda a: [name(*a.index[a.seats == a.seats.max()])])),
    held_back(
        "planes built before 1970",
        planes(lambda a: [names(a.index[a.built < 1970]), Number(int((a.built < 1970).sum()))]),
    ),
    held_back("how many planes have 4 engines", planes(lambda a: [Number(int((a.engines == 4).sum()))])),
    held_back(
        "Wie viele Flughäfen liegen unter dem Meeresspiegel (Höhe unter 0 m)?",
        planes(lambda a: [Number(int((a.altitude < 0).sum()))], "airport"),
    ),
    held_back("How many airlines are there?", planes(lambda a: [Number(len(a))], "airline")),
    held_back(
        "What's the altitude of Denver International?", planes(lambda a: [Number(a.altitude["DEN"], "m")], "airport")
    ),
    held_back(
        "Median departure delay of United in July",
        flights(lambda e: [Number(e.departure_delay.median(), "min")], *JUL, airline="UA"),
    ),
    held_back(
        "average arrival delay per airline in May", flights(groups("airline", mean("arrival_delay"), "min"), *MAY)
    ),
    held_back(
        "Wie groß war die mittlere Ankunftsverspätung von Delta im Januar?",
        flights(mean("arrival_delay"), *JAN, airline="DL"),
    ),
    held_back("Which flight was in the air the longest?", flights(longest_of("air_time"))),
    held_back("What is the shortest flight distance?", flights(lambda e: [Number(e.distance.min(), "km")])),
    held_back(
        "how many flights were longer than 4000 km",
        flights(lambda e: [Number(int((e.distance > 4000).sum())), Number(int((flown(e).distance > 4000).sum()))]),
    ),
    held_back(
        "How many flights left more than 2 hours late in December?", flights(at_least("departure_delay", 120), *DEC)
    ),
    held_back(
        "Number of flights arriving over an hour late at LAX", flights(at_least("arrival_delay", 60), destination="LAX")
    ),
    held_back(
        "Welche Strecke... äh, welches Ziel wurde am häufigsten angeflogen?",
        flights(most(lambda e: e.groupby("destination").size(), lambda e: flown(e).groupby("destination").size())),
    ),
    held_back(
        "Which airline has the lowest average arrival delay?",
        flights(most(lambda e: e.groupby("airline").arrival_delay.mean(), least=True)),
    ),
    held_back(
        "Which origin had the worst departure delay on average?",
        flights(most(lambda e: e.groupby("origin").departure_delay.mean())),
    ),
    held_back("average distance of flights per origin", flights(groups("origin", mean("distance", "km"), "km"))),
    held_back(
        "on time arrivals by month",
        lambda f: [_months(f, at) for at in ("planned_start", "start", "planned_end")],
        "by planned or actual departure, or planned arrival",
    ),
    held_back(
        "Which month had the most cancellations?",
        months_of_most(share_cancelled),
        "the share and the number are both greatest in February",
    ),
    held_back("Was the on-time departure target met in June?", met),
    held_back(
        "Wie pünktlich waren die Ankünfte in Boston im September?", flights(punctual_arrivals, *SEP, destination="BOS")
    ),
    held_back("share of flights cancelled at LaGuardia in December", planned(share_cancelled, *DEC, origin="LGA")),
    held_back("Coldest temperature of the year at LaGuardia in °F", weather("temperature", by("min", "degC"), "LGA")),
    held_back("When was it hottest at Newark?", weather("temperature", when("max"), "EWR")),
    held_back("monthly rainfall at Newark", weather("precipitation", months("sum", "mm"), "EWR")),
    held_back("mean temperature in January at each airport", airports("temperature", "mean", "degC", *JAN)),
    held_back("Welcher Flughafen war im Februar am windigsten?", airport_of("wind_speed", "mean", *FEB), "by the mean"),
    held_back("Was it warmer at JFK or LGA in July?", warmer),
    held_back("Niederschlag an jedem Tag im Juni in JFK", weather("precipitation", each_day("sum", "mm"), "JFK", *JUN)),
    held_back("what's the humidity at Newark now?", at_end("relative_humidity", "EWR", "%")),
    held_back("median pressure at JFK in August", weather("pressure", by("median", "hPa"), "JFK", *AUG)),
    held_back(
        "how long was it below freezing at JFK in January",
        weather("temperature", hours(lambda c: c < 0), "JFK", *JAN),
        "below 0 degrees",
    ),
    held_back(
        "How often did fog occur at LGA?", lambda f: [Number(len(runs(f.cells("airport", "visibility")["LGA"] < 1)))]
    ),
    held_back("Was war der längste Frost (unter 0 °C) in Newark?", frost),
    held_back("On how many days did gusts exceed 20 m/s at JFK?", windy_days),
    held_back("wettest day at LaGuardia", wettest_day),
    held_back(
        "Average flight duration to Honolulu in hours",
        flights(
            lambda e: [Number(e.air_time.mean(), "min"), Number(minutes(e.end - e.start).mean(), "min")],
            destination="HNL",
        ),
    ),
    held_back("How many pilots does Delta have?", refuse),
    held_back("which flights had a bird strike", refuse),
    held_back("Was kostet ein Ticket nach Miami?", refuse),
    held_back("Temperature at Chicago O'Hare on New Year's Day?", refuse, "Chicago has no weather"),
)


def _months(f: Facts, at: str) -> Truth:
    """Share of arrivals on time for each month of 2013."""
    e = f.events("flight")
    e = e[within(e[at], "2013-01", "2014-01")]
    return groups(e[at].dt.to_period("M").dt.to_timestamp().rename("month"), punctual_arrivals, "%")(e)[0]
