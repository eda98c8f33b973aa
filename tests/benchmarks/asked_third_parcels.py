"""True answers about parcels by pandas alone, for the questions that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from tests.benchmarks.asked_truth import (
    Facts,
    Groups,
    Name,
    Names,
    Number,
    Refuse,
    Truth,
    YesNo,
    unique,
)

T = pd.Timestamp
Window = tuple[str, str]
Truths = Callable[[Facts], list[Truth]]
ALL: Window = ("2026-01-01", "2026-05-01")
JAN: Window = ("2026-01-01", "2026-02-01")
FEB: Window = ("2026-02-01", "2026-03-01")
MAR: Window = ("2026-03-01", "2026-04-01")
LAST_WEEK: tuple[Window, ...] = (("2026-03-30", "2026-04-06"), ("2026-03-23", "2026-03-30"))
YESTERDAY: tuple[Window, ...] = (("2026-04-05", "2026-04-06"), ("2026-04-04", "2026-04-05"))
STEP = pd.Timedelta("5min")


def cut(cells: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Cells of ``[start, stop)``."""
    return cells[(cells.index >= T(window[0])) & (cells.index < T(window[1]))]


def span(times: pd.Series, window: Window) -> pd.Series:
    """Which times are in ``[start, stop)``."""
    return (times >= T(window[0])) & (times < T(window[1]))


def hours(cells: float, a_cell: float) -> list[Truth]:
    """The time that so many cells of ``a_cell`` minutes last."""
    return [Number(cells * a_cell / 60, "h")]


def too_warm(f: Facts, window: Window) -> pd.DataFrame:
    """Cells in which a room was warmer than its own limit."""
    cells = cut(f.cells("cold_room", "temperature"), window)
    return cells.gt(f.assets("cold_room")["upper_limit"].reindex(cells.columns), axis=1)


def lasting(over: pd.DataFrame, cells: int) -> frozenset[str]:
    """Rooms with so many cells in a row."""
    found = set()
    for room in over:
        s = over[room]
        length = s.groupby((s != s.shift()).cumsum()).transform("size")
        if (s & (length >= cells)).any():
            found.add(room)
    return frozenset(found)


def rooms_too_warm(f: Facts) -> list[Truth]:
    """Any cell over the limit, or 10 minutes of them as in the twin's rule: two cells, or three with 10 minutes between first and last."""
    return unique(Names(lasting(too_warm(f, w), n)) for w in LAST_WEEK for n in (1, 2, 3))


def worst_room(f: Facts) -> list[Truth]:
    """The room with the most cells over its limit in March."""
    room = too_warm(f, MAR).sum().idxmax()
    return [Name(frozenset({room, f.assets("cold_room").loc[room, "name"]}))]


def room_over(room: str, limit: float, window: Window) -> Truths:
    """How long a room was warmer than a limit."""
    return lambda f: hours((cut(f.cells("cold_room", "temperature"), window)[room] > limit).sum(), 5)


def compliance(room: str, window: Window) -> Truths:
    """Share of the measured time at or below the room's limit."""

    def truths(f: Facts) -> list[Truth]:
        over = too_warm(f, window)[room]
        known = cut(f.cells("cold_room", "temperature"), window)[room].notna().sum()
        return unique([Number(100 * (1 - over.sum() / known), "%", tolerance=0.0005)])

    return truths


def state_time(signal: str, asset: str, state: int, windows: Iterable[Window]) -> Truths:
    """How long a signal of a cold room was in a state."""
    return lambda f: unique(
        t for w in windows for t in hours((cut(f.cells("cold_room", signal), w)[asset] == state).sum(), 5)
    )


def state_share(asset_type: str, signal: str, asset: str, states: tuple[int, ...], window: Window) -> Truths:
    """Share of the known time in states."""

    def truths(f: Facts) -> list[Truth]:
        s = cut(f.cells(asset_type, signal), window)[asset].dropna()
        return [Number(100 * s.isin(states).mean(), "%")]

    return truths


def trips(f: Facts, **where: str) -> pd.DataFrame:
    """Trips with these links, and ``late``: minutes from the planned to the actual departure."""
    t = f.events("trip")
    for column, value in where.items():
        t = t[t[column] == value]
    return t.assign(late=(t["start"] - t["planned_start"]).dt.total_seconds() / 60)


def in_window(t: pd.DataFrame, window: Window, clocks: str = "planned_start start") -> list[pd.DataFrame]:
    """Events in a window by each clock."""
    return [t[span(t[c], window)] for c in clocks.split()]


def trip_counts(window: Window, **where: str) -> Truths:
    """Trips of a window: all, and those that left."""
    return lambda f: unique(
        Number(len(y))
        for x in in_window(trips(f, **where), window)
        for y in (x, x[x["start"].notna()], x[x["end"].notna()])
    )


def cancelled_trips(windows: Iterable[Window]) -> Truths:
    """Trips whose status is cancelled, by their planned departure."""
    return lambda f: unique(
        Number(int((x["status"] == "cancelled").sum()))
        for w in windows
        for x in in_window(trips(f), w, "planned_start")
    )


def any_cancelled(f: Facts) -> list[Truth]:
    """Trips of 3 April by their planned departure; how many is as good as yes."""
    n = int((in_window(trips(f), ("2026-04-03", "2026-04-04"), "planned_start")[0]["status"] == "cancelled").sum())
    return [YesNo(n > 0), Number(n)]


def late_hub(f: Facts) -> list[Truth]:
    """The hub with the most trips that left more than half an hour late in February."""
    out = {x[x["late"] > 30]["origin"].value_counts().idxmax() for x in in_window(trips(f), FEB)}
    return [Name(frozenset({h, f.assets("hub").loc[h, "name"]})) for h in sorted(out)]


def delays_by_hub(f: Facts) -> list[Truth]:
    """Mean minutes from planned to actual departure; no trip leaves early."""
    return unique(
        Groups(x.dropna(subset=["late"]).groupby("origin")["late"].mean().to_dict(), "min")
        for x in in_window(trips(f), MAR)
    )


def leg_lateness(f: Facts, **where: str) -> pd.DataFrame:
    """Legs with these links, and whether they arrived at most 15 minutes late (the twin's KPI)."""
    t = f.events("leg")
    for column, value in where.items():
        t = t[t[column] == value]
    return t.assign(good=t["end"] <= t["planned_end"] + pd.Timedelta("15min"))


def punctual_legs(destination: str, window: Window) -> Truths:
    """Of the legs that have arrived, and of all."""

    def truths(f: Facts) -> list[Truth]:
        t = leg_lateness(f, destination=destination)
        out = []
        for x in in_window(t, window, "planned_start start planned_end end"):
            out += [Number(100 * x["good"].sum() / n, "%") for n in (x["end"].notna().sum(), len(x))]
        return unique(out)

    return truths


def punctual_legs_by_month(f: Facts) -> list[Truth]:
    """Of the legs that have arrived, and of all; by planned departure, as the KPI counts, or by planned or actual arrival."""
    t = leg_lateness(f)
    out: list[Truth] = []
    for clock in ("planned_start", "start", "planned_end", "end"):
        month = t[clock].dt.to_period("M").dt.to_timestamp()
        good = t["good"].groupby(month).sum()
        for n in (t["end"].notna().groupby(month).sum(), t.groupby(month).size()):
            values = (100 * good / n).to_dict()
            out.append(Groups(values, "%"))
            # April has begun only.
            out.append(Groups({k: v for k, v in values.items() if k < T("2026-04-01")}, "%"))
    return unique(out)


def parcels(how: Callable[[pd.DataFrame], list[Truth]]) -> Truths:
    """Truths from the table of parcels."""
    return lambda f: how(f.assets("parcel"))


def late_parcels(p: pd.DataFrame) -> list[Truth]:
    """Delivered after the promised time, in a window by each clock; with those promised in it and not delivered at all."""
    late = p["delivered"] > p["promised"]
    never = p["delivered"].isna() & (p["promised"] < T("2026-04-06"))
    out: list[Truth] = [Number(int((late & span(p[c], FEB)).sum())) for c in ("delivered", "promised", "registered")]
    out += [Number(int(((late | never) & span(p[c], FEB)).sum())) for c in ("promised", "registered")]
    return unique(out)


def where_is(parcel: str, at: str | None) -> Truths:
    """The hub or truck that a parcel is at: links that were valid then."""

    def truths(f: Facts) -> list[Truth]:
        out = set()
        for relationship in ("held_at", "carried_by"):
            x = f.links(relationship)
            x = x[x["source"].astype(str) == parcel]
            when = T(at) if at else T("2026-04-05 23:59:59")
            x = x[(x["valid_from"] <= when) & (x["valid_until"].isna() | (x["valid_until"] > when))]
            out |= set(x["target"])
        assert len(out) == 1
        hubs = f.assets("hub")["name"]
        return [Name(frozenset(out | {hubs[o] for o in out if o in hubs}))]

    return truths


def truck_position(truck: str, at: str) -> Truths:
    """The last position by then, as the nearest hub or as its latitude or longitude."""

    def truths(f: Facts) -> list[Truth]:
        lat, lon = (f.cells("truck", s)[truck].loc[:at].dropna().iloc[-1] for s in ("latitude", "longitude"))
        hubs = f.assets("hub")
        far = ((hubs["latitude"] - lat) ** 2 + (hubs["longitude"] - lon) ** 2) ** 0.5
        assert far.min() < 0.1
        hub = far.idxmin()
        return [
            Name(frozenset({hub, hubs.loc[hub, "name"]})),
            Number(lat, "degree", tolerance=0.0005),
            Number(lon, "degree", tolerance=0.0005),
        ]

    return truths


def linked(relationship: str, hub: str, *, count: bool = False) -> Truths:
    """Assets that are linked to a hub at the end of the data."""

    def truths(f: Facts) -> list[Truth]:
        x = f.links(relationship)
        x = x[(x["target"] == hub) & x["valid_until"].isna()]["source"]
        assert x.is_unique
        return [Number(len(x))] if count else [Names(frozenset(x))]

    return truths


def driven(window: Window) -> Callable[[Facts], list[pd.Series]]:
    """Kilometres by truck: last less first odometer in a window, or since the last one before it. No counter was reset."""

    def found(f: Facts) -> list[pd.Series]:
        cells = f.cells("truck", "odometer").astype(float)
        inside = cut(cells, window).ffill().bfill()
        before = cells[cells.index < T(window[0])].ffill().iloc[-1:]
        first = inside.iloc[0]
        earlier = before.iloc[0].fillna(first) if len(before) else first
        return [inside.iloc[-1] - first, inside.iloc[-1] - earlier]

    return found


def distance(truck: str, window: Window) -> Truths:
    """`driven` of one truck."""
    return lambda f: unique(Number(s[truck], "km") for s in driven(window)(f))


def furthest(window: Window) -> Truths:
    """The truck with the most kilometres."""
    return lambda f: unique(Name(frozenset({s.idxmax()})) for s in driven(window)(f))


def last_value(asset_type: str, signal: str, asset: str, unit: str, at: str | None = None) -> Truths:
    """The last value at or before an instant."""
    return lambda f: [Number(f.cells(asset_type, signal)[asset].loc[: at or "2026-04-06"].dropna().iloc[-1], unit)]


def emptiest(f: Facts) -> list[Truth]:
    """The forklift with the smallest last value; the value itself."""
    last = f.cells("forklift", "battery").ffill().iloc[-1]
    return [Name(frozenset(last.index[last == last.min()])), Number(float(last.min()), "%")]


def silent(f: Facts) -> list[Truth]:
    """The truck with the longest time between two reports (the odometer's, which has no failed values), and that time."""
    cells = f.cells("truck", "odometer")
    longest = {}
    for truck in cells:
        longest[truck] = cells[truck].dropna().index.to_series().diff().max()
    s = pd.Series(longest)
    return [Name(frozenset(s.index[s == s.max()])), Number(s.max().total_seconds() / 3600, "h")]


def fastest(f: Facts) -> list[Truth]:
    """The greatest value that didn't fail a check; values above 100 km/h are suspect, so one without them is right, too."""
    cells = f.cells("truck", "speed")
    plausible = cells.where(cells <= 100).max()
    return [Name(frozenset({cells.max().idxmax()})), Name(frozenset(plausible.index[plausible == plausible.max()]))]


def missing(f: Facts) -> list[Truth]:
    """Rooms with more than an hour of missing temperature in a row (12 cells); failed values are missing, too."""
    return [Names(lasting(f.cells("cold_room", "temperature").isna(), 13))]


def frozen_mean(f: Facts) -> list[Truth]:
    """The mean of all cells of all frozen rooms, or each room's."""
    rooms = f.assets("cold_room")
    cells = cut(f.cells("cold_room", "temperature"), JAN)[list(rooms.index[rooms["kind"] == "frozen"])].astype(float)
    return [Number(float(np.nanmean(cells.to_numpy())), "degC"), Groups(cells.mean().to_dict(), "degC")]


def warmer(f: Facts) -> list[Truth]:
    """Means of two months."""
    mean = [cut(f.cells("cold_room", "temperature"), w)["R36"].astype(float).mean() for w in (FEB, MAR)]
    assert abs(mean[1] - mean[0]) > 0.05
    return [YesNo(bool(mean[1] > mean[0]))]


def stays(f: Facts) -> list[Truth]:
    """Mean and median time at Frankfurt: stays that began, ended or were in February; stays that haven't ended are no part."""
    x = f.links("held_at")
    x = x[(x["target"] == "FRA") & x["valid_until"].notna()]
    time = (x["valid_until"] - x["valid_from"]).dt.total_seconds() / 3600
    touching = (x["valid_from"] < T(FEB[1])) & (x["valid_until"] > T(FEB[0]))
    out = []
    for mask in (span(x["valid_from"], FEB), span(x["valid_until"], FEB), touching):
        out += [Number(time[mask].mean(), "h"), Number(time[mask].median(), "h")]
    return unique(out)


def carried(truck: str, day: Window) -> Truths:
    """Parcels of legs that began (really or as planned), ended or were under way on a day."""

    def truths(f: Facts) -> list[Truth]:
        t = f.events("leg")
        t = t[(t["truck"] == truck) & t["start"].notna()]
        masks = [span(t[c], day) for c in ("start", "planned_start", "end")]
        masks.append((t["start"] < T(day[1])) & (t["end"].isna() | (t["end"] > T(day[0]))))
        return unique(Number(int(t[m]["asset"].nunique())) for m in masks)

    return truths


def top_hubs(p: pd.DataFrame) -> list[Truth]:
    """Hubs by parcels handed in."""
    return [Names(frozenset(p["origin"].value_counts().head(3).index))]


def refuse(_: Facts) -> list[Truth]:
    """The twin has no such data."""
    return [Refuse()]


def trucks(how: Callable[[pd.DataFrame], list[Truth]]) -> Truths:
    """Truths from the table of trucks."""
    return lambda f: how(f.assets("truck"))


def rooms_at(hub: str) -> Truths:
    """Number of rooms that are part of a hub."""
    return lambda f: [Number(int((f.links("part_of")["target"] == hub).sum()))]
