"""True answers about the flights and the weather of twin `nyc`, by pandas: what the questions asked again share.

Days and months are UTC. A flight counts in the span of its planned departure; where that of its actual departure gives another answer,
both are right.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from tests.benchmarks.asked_truth import Facts, Groups, Moment, Name, Number, Refuse, Truth, name, within

Truths = Callable[[Facts], list[Truth]]
YEAR = ("2013-01", "2014-01")


def flights(make: Callable[[pd.DataFrame], list[Truth]], *span: str, **where: object) -> Truths:
    """Return the truths of the flights in ``[start, stop)`` that have these properties."""

    def truths(f: Facts) -> list[Truth]:
        found = f.events("flight")
        for column, value in where.items():
            found = found[found[column].isin(value) if isinstance(value, tuple) else found[column] == value]
        if not span:
            return make(found)
        return [one for at in ("planned_start", "start") for one in make(found[within(found[at], *span)])]

    return truths


def planned(make: Callable[[pd.DataFrame], list[Truth]], *span: str, **where: object) -> Truths:
    """Return the truths of the flights planned in a span: what never left has no actual departure."""
    return flights(lambda e: make(e[within(e.planned_start, *span)]), **where)


def flown(e: pd.DataFrame) -> pd.DataFrame:
    """Return the flights that left."""
    return e[e.start.notna()]


def count(e: pd.DataFrame) -> list[Truth]:
    """Flights: those that left; planned ones are as good where the question doesn't say."""
    return [Number(len(flown(e))), Number(len(e))]


def left(e: pd.DataFrame) -> list[Truth]:
    """Flights that left."""
    return [Number(len(flown(e)))]


def cancelled(e: pd.DataFrame) -> list[Truth]:
    """Flights that never left."""
    return [Number(int(e.start.isna().sum()))]


def share_cancelled(e: pd.DataFrame) -> list[Truth]:
    """Share of the planned flights that never left."""
    return [Number(100 * e.start.isna().mean(), "%")]


def mean(column: str, unit: str = "min") -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what takes the mean of a column."""
    return lambda e: [Number(e[column].mean(), unit)]


def at_least(column: str, least: float, *, strict: bool = True) -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what counts the flights above a value."""
    return lambda e: [Number(int((e[column] > least).sum() if strict else (e[column] >= least).sum()))]


def punctual(e: pd.DataFrame, column: str = "departure_delay") -> list[Truth]:
    """Share of flights less than 15 minutes late."""
    known = e[column].dropna()
    return [Number(100 * (known < 15).mean(), "%")]


def punctual_arrivals(e: pd.DataFrame) -> list[Truth]:
    """Share of arrivals less than 15 minutes late."""
    return punctual(e, "arrival_delay")


def groups(column: str, of: Callable[[pd.DataFrame], list[Truth]], unit: str = "") -> Callable[..., list[Truth]]:
    """Return what makes a number for each group; each reading of the number is a reading of the groups."""

    def made(e: pd.DataFrame) -> list[Truth]:
        each = {key: of(group) for key, group in e.groupby(column)}
        several = zip(*each.values(), strict=True)
        return [Groups(dict(zip(each, (one.value for one in read), strict=True)), unit) for read in several]  # type: ignore[attr-defined]

    return made


def most(*scores: Callable[[pd.DataFrame], pd.Series], least: bool = False) -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what names the group with the greatest score, each score being a right reading."""

    def made(e: pd.DataFrame) -> list[Truth]:
        found: set[object] = set()
        for score in scores:
            values = score(e)
            found |= set(values.index[values == (values.min() if least else values.max())])
        return [name(*found)]

    return made


def sizes(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return what counts flights by a column."""
    return lambda e: e.groupby(column).size()


def means(column: str, of: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return what takes means by a column."""
    return lambda e: e.groupby(column)[of].mean()


def longest_of(column: str) -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what names the flight with the greatest value."""
    return lambda e: [name(*e.event_id[e[column] == e[column].max()])]


def day_of_most(e: pd.DataFrame) -> list[Truth]:
    """Return the day with the most flights: planned or actual."""
    found = [e[at].dropna().dt.floor("D").value_counts().idxmax() for at in ("planned_start", "start")]
    return [Moment(frozenset(found), day=True)]


def months_of_most(score: Callable[[pd.DataFrame], list[Truth]], *, least: bool = False) -> Truths:
    """Return the month with the greatest score, by planned or actual departure."""

    def truths(f: Facts) -> list[Truth]:
        found = set()
        for at in ("planned_start", "start") if score is not share_cancelled else ("planned_start",):
            e = f.events("flight")
            e = e[within(e[at], *YEAR)]
            scores = {month: score(group)[0].value for month, group in e.groupby(e[at].dt.to_period("M"))}  # type: ignore[attr-defined]
            best = min(scores, key=scores.__getitem__) if least else max(scores, key=scores.__getitem__)
            found.add(best.to_timestamp())
        return [Moment(frozenset(found), day=True), *(name(one.month_name(), f"{one:%Y-%m}") for one in found)]

    return truths


def weather(
    signal: str, make: Callable[[pd.Series], list[Truth]], airport: str | tuple[str, ...] = "", *span: str
) -> Truths:
    """Return the truths of a signal of one airport, or of all cells of several."""

    def truths(f: Facts) -> list[Truth]:
        cells = f.cells("airport", signal)
        cells = cells[airport] if airport and isinstance(airport, str) else cells.stack()
        times = cells.index if cells.index.nlevels == 1 else cells.index.get_level_values(0)
        return make(cells[within(times.to_series(), *span).to_numpy()] if span else cells)

    return truths


def by(how: str, unit: str = "") -> Callable[[pd.Series], list[Truth]]:
    """Return what takes the mean, max, min, sum or median."""
    return lambda cells: [Number(float(cells.agg(how)), unit)]


def months(how: str, unit: str) -> Callable[[pd.Series], list[Truth]]:
    """Return what makes a number for each month."""
    return lambda cells: [Groups(dict(cells.resample("MS").agg(how)), unit)]


def each_day(how: str, unit: str) -> Callable[[pd.Series], list[Truth]]:
    """Return what makes a number for each day."""
    return lambda cells: [Groups(dict(cells.resample("D").agg(how)), unit)]


def when(how: str) -> Callable[[pd.Series], list[Truth]]:
    """Return the instant of the greatest or least value."""
    return lambda cells: [Moment(frozenset(cells.index[cells == cells.agg(how)]))]


def hours(true: Callable[[pd.Series], pd.Series]) -> Callable[[pd.Series], list[Truth]]:
    """Return what counts hours; a cell is an hour."""
    return lambda cells: [Number(60.0 * int(true(cells).sum()), "min"), Number(int(true(cells).sum()))]


def airports(signal: str, how: str, unit: str, *span: str) -> Truths:
    """Return a number for each of the three airports."""

    def truths(f: Facts) -> list[Truth]:
        cells = f.cells("airport", signal)
        cells = cells[within(cells.index.to_series(), *span)] if span else cells
        return [Groups(dict(cells.agg(how)), unit)]

    return truths


def airport_of(signal: str, how: str, *span: str, least: bool = False) -> Truths:
    """Return the airport with the greatest or least mean, max, min or sum."""

    def truths(f: Facts) -> list[Truth]:
        cells = f.cells("airport", signal)
        cells = (cells[within(cells.index.to_series(), *span)] if span else cells).agg(how)
        return [Name(frozenset(cells.index[cells == (cells.min() if least else cells.max())]))]

    return truths


def planes(make: Callable[[pd.DataFrame], list[Truth]], asset_type: str = "aircraft") -> Truths:
    """Return truths of a table of assets."""
    return lambda f: make(f.assets(asset_type))


def refuse(_: Facts) -> list[Truth]:
    """The data can't answer it."""
    return [Refuse()]
