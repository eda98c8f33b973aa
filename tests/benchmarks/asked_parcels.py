"""True answers about the parcels, trucks, cold rooms and forklifts of twin `parcel`, by pandas: what the questions asked again share.

Days are UTC; Monday is 5 January 2026, and the data end at midnight before Monday the 12th, which is "now".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from tests.benchmarks.asked_truth import Facts, Groups, Moment, Number, Refuse, Truth, YesNo, minutes, name, within

Truths = Callable[[Facts], list[Truth]]
NOW = pd.Timestamp("2026-01-12")
MON, TUE, WED, THU, FRI, SAT, SUN = ((f"2026-01-{day:02}", f"2026-01-{day + 1:02}") for day in range(5, 12))
_MISSING = 9
STEP = {"truck": 5.0, "cold_room": 5.0, "forklift": 10.0}
"""Minutes a cell."""


def known(f: Facts, asset_type: str, signal: str, asset: str = "", *span: str) -> pd.DataFrame:
    """Return cells without failed and missing ones, of one asset or of all."""
    data = f.twin.history(asset_type, signals=[signal]).compute()
    cells = data[signal].where((data[f"{signal}_qc"] != 4) & (data[f"{signal}_qc"] != _MISSING)).to_pandas()
    cells = cells[[asset]] if asset else cells
    return cells[within(cells.index.to_series(), *span)] if span else cells


def cells(asset_type: str, signal: str, how: str, unit: str, asset: str = "", *span: str) -> Truths:
    """Return the mean, max, min or median of all cells."""
    return lambda f: [Number(float(known(f, asset_type, signal, asset, *span).stack().agg(how)), unit)]


def each(asset_type: str, signal: str, how: str, unit: str, *span: str) -> Truths:
    """Return a number for each asset."""
    return lambda f: [Groups(dict(known(f, asset_type, signal, "", *span).agg(how)), unit)]


def each_day(asset_type: str, signal: str, how: str, unit: str, asset: str) -> Truths:
    """Return a number for each day of one asset."""
    return lambda f: [Groups(dict(known(f, asset_type, signal, asset)[asset].resample("D").agg(how).dropna()), unit)]


def best(asset_type: str, signal: str, *hows: str, least: bool = False, span: tuple[str, ...] = ()) -> Truths:
    """Return the asset with the greatest or least value, in each reading."""

    def truths(f: Facts) -> list[Truth]:
        found: set[object] = set()
        for how in hows:
            values = known(f, asset_type, signal, "", *span).agg(how)
            found |= set(values.index[values == (values.min() if least else values.max())])
        return [name(*found)]

    return truths


def when(asset_type: str, signal: str, how: str, asset: str = "") -> Truths:
    """Return the instants of the greatest or least value."""

    def truths(f: Facts) -> list[Truth]:
        values = known(f, asset_type, signal, asset).stack()
        return [Moment(frozenset(values.index.get_level_values(0)[values == values.agg(how)]))]

    return truths


def time_of(
    asset_type: str, signal: str, true: Callable[[pd.DataFrame], pd.DataFrame], asset: str = "", *span: str
) -> Truths:
    """Return how long a condition was true: minutes, summed over the assets."""

    def truths(f: Facts) -> list[Truth]:
        found = true(known(f, asset_type, signal, asset, *span)).to_numpy().sum()
        return [Number(STEP[asset_type] * float(found), "min")]

    return truths


def time_of_each(asset_type: str, signal: str, true: Callable[[pd.DataFrame], pd.DataFrame], *span: str) -> Truths:
    """Return how long a condition was true for each asset, in minutes; without those for which it never was, too."""

    def truths(f: Facts) -> list[Truth]:
        found = true(known(f, asset_type, signal, "", *span)).sum() * STEP[asset_type]
        return [Groups(dict(found), "min"), Groups(dict(found[found > 0]), "min")]

    return truths


def share_of(
    asset_type: str, signal: str, true: Callable[[pd.DataFrame], pd.DataFrame], asset: str = "", *span: str
) -> Truths:
    """Return the share of the known time in which a condition was true."""

    def truths(f: Facts) -> list[Truth]:
        values = known(f, asset_type, signal, asset, *span)
        return [Number(100 * true(values).to_numpy().sum() / values.notna().to_numpy().sum(), "%")]

    return truths


def share_of_each(asset_type: str, signal: str, true: Callable[[pd.DataFrame], pd.DataFrame], *span: str) -> Truths:
    """Return the share of the known time in which a condition was true, for each asset."""

    def truths(f: Facts) -> list[Truth]:
        values = known(f, asset_type, signal, "", *span)
        return [Groups(dict(100 * true(values).sum() / values.notna().sum()), "%")]

    return truths


def now(asset_type: str, signal: str, unit: str, asset: str) -> Truths:
    """Return the last known value."""
    return lambda f: [Number(float(known(f, asset_type, signal, asset)[asset].dropna().iloc[-1]), unit)]


def driven(f: Facts, *span: str) -> list[pd.Series]:
    """Return the kilometres of each truck: from its last value before the span, or from its first within."""
    odometer = known(f, "truck", "odometer").ffill()
    inside = odometer[within(odometer.index.to_series(), *span)] if span else odometer
    before = odometer[odometer.index < inside.index[0]]
    first = [before.iloc[-1].fillna(inside.bfill().iloc[0])] if len(before) else []
    return [inside.iloc[-1] - one for one in (*first, inside.bfill().iloc[0])]


def distance(truck: str = "", *span: str) -> Truths:
    """Return the kilometres of a truck, or of all."""
    return lambda f: [Number(float(km[truck] if truck else km.sum()), "km", 0.01) for km in driven(f, *span)]


def events(
    event_type: str,
    make: Callable[[pd.DataFrame], list[Truth]],
    *span: str,
    at: tuple[str, ...] = ("planned_start", "start"),
    **where: object,
) -> Truths:
    """Return the truths of the events in ``[start, stop)`` that have these properties, for each right reading of the span."""

    def truths(f: Facts) -> list[Truth]:
        found = f.events(event_type)
        for column, value in where.items():
            found = found[found[column] == value]
        return [one for time in at for one in make(found[within(found[time], *span)])] if span else make(found)

    return truths


def count(e: pd.DataFrame) -> list[Truth]:
    """All, planned ones too, or those that began: the question doesn't say."""
    return [Number(len(e)), Number(int(e.start.notna().sum()))]


def began(e: pd.DataFrame) -> list[Truth]:
    """Those that began."""
    return [Number(int(e.start.notna().sum()))]


def number(e: pd.DataFrame) -> list[Truth]:
    """All rows."""
    return [Number(len(e))]


def late(column: str, than: float) -> Callable[[pd.DataFrame], pd.Series]:
    """Return which events are later than so many minutes at ``start`` or ``end``."""
    return lambda e: minutes(e[column] - e[f"planned_{column}"]) > than


def how_many(true: Callable[[pd.DataFrame], pd.Series]) -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what counts the events for which something is true."""
    return lambda e: [Number(int(true(e).sum()))]


def lasting(how: str, begin: str = "start", finish: str = "end") -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what takes the mean, max, median of the durations in minutes."""
    return lambda e: [Number(float(minutes(e[finish] - e[begin]).agg(how)), "min")]


def on_time(e: pd.DataFrame, tolerance: float = 15) -> list[Truth]:
    """Share of the legs that ended at most so many minutes late, of those whose end is known, or that ended or should have."""
    ended = e[e.end.notna()]
    good = (minutes(ended.end - ended.planned_end) <= tolerance).sum()
    due = e[e.end.notna() | (e.planned_end < NOW)]
    return [Number(100 * good / max(len(one), 1), "%") for one in (ended, due)]


def groups(
    column: str, of: Callable[[pd.DataFrame], list[Truth]], unit: str = ""
) -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what makes a number for each group; each reading of the number is a reading of the groups."""

    def made(e: pd.DataFrame) -> list[Truth]:
        found = {key: of(group) for key, group in e.groupby(column)}
        readings = [
            dict(zip(found, (one.value for one in read), strict=True)) for read in zip(*found.values(), strict=True)
        ]  # type: ignore[attr-defined]
        return [Groups(one, unit) for one in readings] + [Groups(_some(one), unit) for one in readings if _some(one)]

    return made


def _some(found: Mapping[object, float]) -> dict[object, float]:
    """Return groups without those that have nothing."""
    return {key: value for key, value in found.items() if value and not np.isnan(value)}


def most(*scores: Callable[[pd.DataFrame], pd.Series], least: bool = False) -> Callable[[pd.DataFrame], list[Truth]]:
    """Return what names the group with the greatest score, each score being a right reading."""

    def made(e: pd.DataFrame) -> list[Truth]:
        found: set[object] = set()
        for score in scores:
            values = score(e).dropna()
            found |= set(values.index[values == (values.min() if least else values.max())])
        return [name(*found)]

    return made


def table(asset_type: str, make: Callable[[pd.DataFrame], list[Truth]]) -> Truths:
    """Return truths of a table of assets."""
    return lambda f: make(f.assets(asset_type))


def links(relationship: str, make: Callable[[pd.DataFrame], list[Truth]], at: str = "") -> Truths:
    """Return truths of a table of relationships, of those that are valid at an instant."""

    def truths(f: Facts) -> list[Truth]:
        found = f.links(relationship)
        if at:
            instant = pd.Timestamp(at)
            found = found[~(found.valid_from > instant) & ~(found.valid_until <= instant)]
        return make(found)

    return truths


def yes(truths: Truths) -> Truths:
    """Return whether there is any."""
    return lambda f: [YesNo(bool(one.value)) for one in truths(f)]  # type: ignore[union-attr]


def refuse(_: Facts) -> list[Truth]:
    """The data can't answer it."""
    return [Refuse()]
