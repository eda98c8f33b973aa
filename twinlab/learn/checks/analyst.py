"""Solutions of the analyst's exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.learn.comparing import Slip, Solution

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.twin import Twin

__all__ = ["CHECKS"]


def _wind(twin: Twin) -> Solution:
    def strongest(airport: str, start: str = "2013-02-01", stop: str = "2013-03-01", *, passed: bool = True) -> float:
        data = twin.history("airport", signals=["wind_speed"], assets=[airport], start=start, stop=stop)
        values = data["wind_speed"].where(data["wind_speed_qc"] == 1) if passed else data["wind_speed"]
        return round(float(values.max()), 2)

    return Solution(
        strongest("EWR"),
        "Take wind_speed at EWR from 1 February until 1 March, where wind_speed_qc is 1, and its largest value.",
        (
            Slip(strongest("EWR", passed=False), "That value failed a quality test: no wind is that strong. Keep only values whose flag is 1."),
            Slip(strongest("LGA"), "That is the answer for the example's airport: look at EWR."),
            Slip(strongest("EWR", "2013-01-01", "2014-01-01"), "That is the strongest of the whole year: only February counts."),
        ),
        tolerance=0.006,
        unit="m/s",
    )  # fmt: skip


def _warmest_day(twin: Twin) -> Solution:
    def hours(airport: str, start: str, stop: str) -> pd.Series[float]:
        data = twin.history("airport", signals=["temperature"], assets=[airport], start=start, stop=stop)
        found: pd.Series[float] = data["temperature"].sel(asset=airport).to_series().dropna()
        return found

    def warmest(airport: str, start: str, stop: str) -> str:
        return f"{hours(airport, start, stop).resample('1D').mean().idxmax():%Y-%m-%d}"

    mine = ("JFK", "2013-05-01", "2013-06-01")
    return Solution(
        warmest(*mine),
        "Take the daily means of JFK from 1 May until 1 June, and the day of the largest one, as year-month-day.",
        (
            Slip(f"{hours(*mine).idxmax():%Y-%m-%d}", "The warmest hour was on that day. The question is about the mean of the day."),
            Slip(warmest("EWR", *mine[1:]), "That is the day at the example's airport: look at JFK."),
            Slip(warmest("EWR", "2013-07-01", "2013-08-01"), "That is the answer to the example."),
            Slip(warmest("JFK", "2013-07-01", "2013-08-01"), "That is a day of the example's month: look at May."),
        ),
    )  # fmt: skip


def _late_airline(twin: Twin) -> Solution:
    flights = twin.events("flight")

    def latest(destination: str | None, least: int = 500, by: str = "departure_delay") -> str:
        mine = flights if destination is None else flights[flights["destination"] == destination]
        groups = mine.groupby("airline")[by].agg(["mean", "count"])
        return str(groups[groups["count"] >= least]["mean"].idxmax())

    return Solution(
        latest("DEN"),
        "Take flights to DEN, the mean departure_delay of each airline with at least 500 of them, and the airline of the largest.",
        (
            Slip(latest("ORD"), "That is the answer for the example's destination: look at DEN."),
            Slip(latest("DEN", by="arrival_delay"), "That airline comes latest. The question is who leaves latest."),
            Slip(latest("DEN", 1), "That airline flies there rarely: leave out those with fewer than 500 flights."),
            Slip(latest(None), "That is the latest of flights to anywhere: look at DEN."),
        ),
    )


def _known_hours(twin: Twin) -> Solution:
    def data(airport: str, start: str, stop: str) -> xr.Dataset:
        found: xr.Dataset = twin.history("airport", signals=["wind_gust"], assets=[airport], start=start, stop=stop)
        return found

    def known(*where: str) -> int:
        return int(data(*where)["wind_gust"].count())

    mine = ("JFK", "2013-03-01", "2013-04-01")
    return Solution(
        known(*mine),
        "Count the values of wind_gust at JFK that aren't missing, from 1 March until 1 April.",
        (
            Slip(data(*mine).sizes["time"], "Those are all hours of the month: count those in which a value is known."),
            Slip(data(*mine).sizes["time"] - known(*mine), "Those are the hours without a value: count those with one."),
            Slip(known("EWR", *mine[1:]), "Those are the hours at the example's airport: look at JFK."),
            Slip(known("EWR", "2013-01-01", "2013-02-01"), "That is the answer to the example."),
        ),
    )  # fmt: skip


CHECKS = {
    "wind": _wind, "warmest-day": _warmest_day, "late-airline": _late_airline, "known-hours": _known_hours,
}  # fmt: skip
