"""True answers about flights by pandas alone, for the questions that use them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from tests.benchmarks.asked_truth import (
    Facts,
    Groups,
    Moment,
    Name,
    Names,
    Number,
    Refuse,
    Truth,
    unique,
)

T = pd.Timestamp
Window = tuple[str, str]
Truths = Callable[[Facts], list[Truth]]
YEAR: Window = ("2013-01-01", "2014-01-02")
JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC = (
    (f"2013-{m:02}-01", f"{2013 + m // 12}-{m % 12 + 1:02}-01") for m in range(1, 13)
)
NEW_YORK = ["EWR", "JFK", "LGA"]


def flights(f: Facts, **where: str) -> pd.DataFrame:
    """All flights, also cancelled ones, with these links."""
    table = f.events("flight")
    for column, value in where.items():
        table = table[table[column] == value]
    return table


def windows(table: pd.DataFrame, window: Window, clocks: str = "planned_start start") -> list[pd.DataFrame]:
    """The flights in ``[start, stop)`` by each clock."""
    return [table[(table[c] >= T(window[0])) & (table[c] < T(window[1]))] for c in clocks.split()]


def each(
    how: Callable[[pd.DataFrame], Truth | list[Truth]],
    window: Window,
    clocks: str = "planned_start start",
    **where: str,
) -> Truths:
    """One truth (or several) for each clock."""

    def truths(f: Facts) -> list[Truth]:
        out: list[Truth] = []
        for table in windows(flights(f, **where), window, clocks):
            found = how(table)
            out += found if isinstance(found, list) else [found]
        return unique(out)

    return truths


def flown(t: pd.DataFrame) -> Truth:
    """Flights with a departure."""
    return Number(int(t["start"].notna().sum()))


def either(t: pd.DataFrame) -> list[Truth]:
    """All flights, and those with a departure."""
    return [Number(len(t)), Number(int(t["start"].notna().sum()))]


def cancelled(t: pd.DataFrame) -> Truth:
    """Flights without a departure."""
    return Number(int(t["start"].isna().sum()))


def late(t: pd.DataFrame, column: str, limit: float) -> Truth:
    """Flights later than a limit in minutes."""
    return Number(int((t[column] > limit).sum()))


def delay(t: pd.DataFrame, column: str) -> list[Truth]:
    """Mean delay with early flights as negative minutes, and with early flights as punctual."""
    d = t[column].dropna()
    return [Number(d.mean(), "min"), Number(d.clip(lower=0).mean(), "min")]


def delay_by(t: pd.DataFrame, by: str, column: str) -> list[Truth]:
    """`delay` of each group."""
    d = t.dropna(subset=[column])
    return [
        Groups(d.groupby(by)[column].mean().to_dict(), "min"),
        Groups(d[column].clip(lower=0).groupby(d[by]).mean().to_dict(), "min"),
    ]


def punctual_departures(t: pd.DataFrame) -> list[Truth]:
    """At most 14 minutes late, of those that departed (the twin's KPI); of all that were planned."""
    good = (t["departure_delay"] <= 14).sum()
    return [Number(100 * good / t["start"].notna().sum(), "%"), Number(100 * good / len(t), "%")]


def punctual_by(t: pd.DataFrame, by: str) -> list[Truth]:
    """`punctual_departures` of each group."""
    good = (t["departure_delay"] <= 14).groupby(t[by]).sum()
    return [
        Groups((100 * good / t["start"].notna().groupby(t[by]).sum()).to_dict(), "%"),
        Groups((100 * good / t.groupby(by).size()).to_dict(), "%"),
    ]


def punctual_arrivals(t: pd.DataFrame) -> list[Truth]:
    """At most 14 minutes late at the destination: of those with a known delay, of those with an arrival, that left, that were planned."""
    good = (t["arrival_delay"] <= 14).sum()
    of = [t["arrival_delay"].notna().sum(), t["end"].notna().sum(), t["start"].notna().sum(), len(t)]
    return [Number(100 * good / n, "%") for n in of]


def cancelled_share(t: pd.DataFrame, by: str) -> Truth:
    """Flights that never left, of those planned, for each group."""
    return Groups((100 * t["start"].isna().groupby(t[by]).mean()).to_dict(), "%")


def top(t: pd.DataFrame, by: str, n: int) -> list[Truth]:
    """The most frequent values, with and without cancelled flights."""
    return [Names(frozenset(x[by].value_counts().head(n).index)) for x in (t, t[t["start"].notna()])]


def most(t: pd.DataFrame, by: str) -> list[Truth]:
    """The most frequent value, with and without cancelled flights."""
    return [Name(frozenset({x[by].value_counts().idxmax()})) for x in (t, t[t["start"].notna()])]


def by_month(t: pd.DataFrame) -> list[Truth]:
    """Flights of each month: all planned by their planned departure, flown ones by both clocks."""
    gone = t[t["start"].notna()]
    out: list[Truth] = []
    for x, clock in ((t, "planned_start"), (gone, "planned_start"), (gone, "start")):
        counts = x.groupby(x[clock].dt.to_period("M").dt.to_timestamp()).size()
        out.append(Groups({k: float(v) for k, v in counts.items()}))
        # The few flights after midnight (UTC) of New Year may be left out.
        out.append(Groups({k: float(v) for k, v in counts.items() if k < T("2014-01-01")}))
    return unique(out)


def refuse(_: Facts) -> list[Truth]:
    """The twin has no such data."""
    return [Refuse()]


def weather(how: Callable[[pd.DataFrame], list[Truth]], signal: str, window: Window = YEAR) -> Truths:
    """Truths from the hourly cells of a signal in a window."""

    def truths(f: Facts) -> list[Truth]:
        cells = f.cells("airport", signal)[NEW_YORK]
        return how(cells[(cells.index >= T(window[0])) & (cells.index < T(window[1]))])

    return truths


def hours(n: float) -> list[Truth]:
    """A number of hourly cells, as a time or as a count."""
    return [Number(float(n), "h"), Number(float(n))]


def planes(how: Callable[[pd.DataFrame], list[Truth]]) -> Truths:
    """Truths from the table of aircraft."""
    return lambda f: how(f.assets("aircraft"))


def extreme(how: str, airport: str) -> Callable[[pd.DataFrame], list[Truth]]:
    """Each time at which the extreme was measured; its day is as good, where somebody asks "when"."""

    def truths(c: pd.DataFrame) -> list[Truth]:
        s = c[airport]
        at = s[s == getattr(s, how)()].index
        return [Moment(frozenset(at)), Moment(frozenset(at.normalize()), day=True)]

    return truths


def last_seven_days(f: Facts) -> list[Truth]:
    """Seven days before each thing that may be called the end of the data: last weather, the year's end, the last flight's times."""
    t = flights(f, origin="EWR")
    last = f.events("flight")
    ends = [T("2013-12-30 23:00"), T("2013-12-31"), T("2014-01-01"), T("2014-01-02")]
    ends += [last[c].max() for c in ("planned_start", "start", "planned_end", "end")]
    out: list[Truth] = []
    for end in ends:
        for c in ("planned_start", "start"):
            x = t[(t[c] > end - pd.Timedelta("7D")) & (t[c] <= end)]
            out += [flown(x)]
    return unique(out)


def last_week(f: Facts) -> list[Truth]:
    """The calendar week before the end (23 to 29 December), and the last seven days as of each end; cancelled flights."""
    t = flights(f)
    spans = [
        ("2013-12-23", "2013-12-30"),
        ("2013-12-24", "2013-12-31"),
        ("2013-12-25", "2014-01-01"),
        ("2013-12-26", "2014-01-02"),
    ]
    end = t["end"].max()
    out: list[Truth] = [cancelled(windows(t, s, "planned_start")[0]) for s in spans]
    out += [
        cancelled(t[(t["planned_start"] > e - pd.Timedelta("7D")) & (t["planned_start"] <= e)])
        for e in (
            T("2013-12-30 23:00"),
            T("2013-12-31"),
            t["planned_start"].max(),
            t["start"].max(),
            end,
            t["planned_end"].max(),
        )
    ]
    return unique(out)


def busiest_day(f: Facts) -> list[Truth]:
    """By actual departures; by planned departures, with and without cancelled flights."""
    t = flights(f)
    gone = t[t["start"].notna()]
    days = [
        x[c].dt.normalize().value_counts().idxmax()
        for x, c in ((gone, "start"), (gone, "planned_start"), (t, "planned_start"))
    ]
    return [Moment(frozenset({d}), day=True) for d in days]


def latest_arrivals(f: Facts) -> list[Truth]:
    """The three with the greatest delay of arrival, as flights or as their aircraft."""
    t = flights(f).nlargest(3, "arrival_delay")
    return [Names(frozenset(t["event_id"])), Names(frozenset(t["asset"]))]


def air_time(t: pd.DataFrame) -> list[Truth]:
    """Mean minutes in the air, and the median, which is the twin's KPI."""
    return [Number(t["air_time"].mean(), "min"), Number(t["air_time"].median(), "min")]


def worst_month(f: Facts) -> list[Truth]:
    """The month with the smallest share of punctual departures (of those that departed, and of all planned): July in each reading."""
    t = flights(f)
    month = t["planned_start"].dt.to_period("M").dt.to_timestamp()
    good = (t["departure_delay"] <= 14).groupby(month).sum()
    found = {(good / n).idxmin() for n in (t["start"].notna().groupby(month).sum(), t.groupby(month).size())}
    return [Moment(frozenset({m})) for m in found] + [
        Moment(frozenset({m + pd.Timedelta(days=d) for d in range(m.days_in_month)}), day=True) for m in found
    ]


def worse_airline(f: Facts) -> list[Truth]:
    """By each usual limit (0, 14, 30, 60 min), departure or arrival, JetBlue has the greater share and count."""
    t = flights(f)
    out = set()
    for column in ("departure_delay", "arrival_delay"):
        for limit in (0, 14, 30, 60):
            x = (t[column] > limit).groupby(t["airline"])
            out |= {max(("B6", "DL"), key=x.mean().get), max(("B6", "DL"), key=x.sum().get)}
    assert out == {"B6"}
    return [Name(frozenset({"B6", "JetBlue Airways"}))]


def destinations_of(airline: str) -> Truths:
    """Airports that an airline flew to."""
    return lambda f: unique(
        Number(x["destination"].nunique())
        for x in (flights(f, airline=airline), flights(f, airline=airline).dropna(subset=["start"]))
    )


def nobody_2012(_: Facts) -> list[Truth]:
    """The data begin in 2013: refused, or a zero with a note."""
    return [Refuse(), Number(0, noted=True)]


def share_of_two(t: pd.DataFrame) -> Truth:
    """Cancelled of planned flights of American and United."""
    return cancelled_share(t[t["airline"].isin(["AA", "UA"])], "airline")
