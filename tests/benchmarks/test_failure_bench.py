"""Remaining life of simulated engines (C-MAPSS FD001), and risks of the parcel network's planted failures, beside baselines.

Engines: settings and features were chosen by five-fold cross-validation over the training engines (an engine's rows are in one fold), scored at 15 instants an
engine, drawn from its last 5 to 150 cycles; the test engines' lives were looked at once, afterwards. Parcel network: indicators and the rule of alarms
(two days on which a failure within 7 days is more likely than not) were chosen on the networks of seeds 1 to 7; the figures are those of seeds 11 to 13. Each
network's predictor is fitted to what was known after 49 days, its maintenance logs included; the last six weeks are judged, as in
`test_planted_failures_bench`.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.plant import FailureRates, Network, ParcelSize, simulate_network
from twinlab.plant.network.failures.failure import Failure
from twinlab.predict.failure import FailurePredictor, FailureSettings, Indicator, default_indicators
from twinlab.predict.failure.trees import Trees
from twinlab.predict.protocol.state import State
from twinlab.predict.scores import auc, brier, nasa_score, reliability, rmse

from .test_ingest_bench import note
from .test_planted_failures_bench import DAY, JUDGED, Tally, count

pytestmark = pytest.mark.benchmark

FOLDER = Path(os.environ.get("TWINLAB_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "cmapss_fd001"
ONE_DAY = np.timedelta64(1, "D")
ORIGIN = np.datetime64("2000-01-01", "ns")
CHANNELS = [f"s{place}" for place in range(1, 22)] + ["set1", "set2", "set3"]
#: A cycle is a day here.
ENGINES = FailureSettings(
    "end", "engine", tuple(Indicator(one) for one in CHANNELS), step="1d", every="1d", spans=(5, 10, 30),
    index_spans=(5, 10, 20, 40, 60), usual="begin", usual_rows=20, peers=False, longest="130d", training="400d",
)  # fmt: skip
SLOW = {"learning_rate": 0.03, "min_data_in_leaf": 60, "feature_fraction": 0.3, "bagging_fraction": 0.5}


def engines(table: pd.DataFrame, lives: pd.Series, ends: list[int]) -> State:
    """The state of engines whose last rows are at some days."""
    names = [f"E{unit}" for unit in lives.index]
    data = np.full((400, len(lives), len(CHANNELS)), np.nan)
    for place, ((_, rows), end) in enumerate(zip(table.groupby("unit"), ends, strict=True)):
        data[end - len(rows) : end, place] = rows[CHANNELS].to_numpy()
    coordinates = {"time": ORIGIN + np.arange(400) * ONE_DAY, "asset": np.array(names, object)}
    history = xr.Dataset(
        {name: (("time", "asset"), data[:, :, place]) for place, name in enumerate(CHANNELS)}, coordinates
    )
    over = pd.DataFrame({"event_id": names, "type": "end", "asset": names, "start": ORIGIN + np.array(ends) * ONE_DAY})
    never = pd.Series(pd.NaT, index=over.index, dtype="datetime64[ns]")
    over = over.assign(end=never, planned_start=never, planned_end=never)
    return State(
        ORIGIN + 400 * ONE_DAY, history, ONE_DAY.astype("timedelta64[ns]"), events={"end": over[over["start"] < ORIGIN + 400 * ONE_DAY]},
        assets={"engine": pd.DataFrame(index=names)},
    )  # fmt: skip


def test_remaining_life_of_engines() -> None:
    if not FOLDER.exists():
        pytest.skip(f"the data set cmapss_fd001 isn't in {FOLDER.parent}; TWINLAB_TEST_DATA names the folder with it")
    train, test = (pd.read_parquet(FOLDER / f"{name}.parquet") for name in ("train", "test"))
    true = pd.read_csv(FOLDER / "test_rul.csv").iloc[:, -1].to_numpy(float)
    lives, seen = (one.groupby("unit")["cycle"].max() for one in (train, test))
    begin = time.process_time()
    predictor = FailurePredictor(ENGINES, ("30d",), Trees("binary", 60, 1), Trees("regression", 400, 3, SLOW))
    fitted = predictor.fit(engines(train, lives, lives.tolist()))
    found = fitted.life(engines(test, seen, [400] * len(seen)))["remaining_life"].values[0, 0]
    spent = time.process_time() - begin
    low, expected, high = found.T
    inside = float(((true >= low) & (true <= high)).mean())
    # The mean life that is left to those training engines that live longer than a test engine has.
    mean = np.array([(lives[lives > cycles] - cycles).mean() if (lives > cycles).any() else 0.0 for cycles in seen])
    for name, predicted in (("failure", expected), ("mean life", mean), ("130 always", np.full(len(true), 130.0))):
        note(f"engines: {name}", rmse=rmse(predicted, true), nasa=nasa_score(predicted, true))
    note("engines: interval of 90 %", coverage=inside, below=float((true < low).mean()), above=float((true > high).mean()),
         mean_width=float((high - low).mean()), cpu_s=spent)  # fmt: skip
    assert rmse(expected, true) <= 12.0
    assert nasa_score(expected, true) <= 210
    assert 0.85 <= inside <= 0.95


def cells(network: Network, step: int, values: dict[str, np.ndarray]) -> xr.Dataset:
    """Values [asset, time] as a history."""
    begin, stop = network.size.span
    times = np.arange(begin, stop, step).astype("M8[s]").astype("M8[ns]")
    names = np.array([str(place) for place in range(len(next(iter(values.values()))))], object)
    return xr.Dataset(
        {name: (("time", "asset"), one.T) for name, one in values.items()}, {"time": times, "asset": names}
    )


def rooms(network: Network) -> xr.Dataset:
    assert network.condition is not None
    room, known = network.rooms, ~network.logged.silent
    current = np.where(room.compressor == 1, network.condition.current, 0.0)
    values = {
        "temperature": network.logged.temperature,
        "door": room.door,
        "compressor": room.compressor,
        "current": current,
    }
    return cells(network, 300, {name: np.where(known, one, np.nan) for name, one in values.items()})


def forklifts(network: Network) -> xr.Dataset:
    assert network.condition is not None
    lift, known = network.forklifts, ~network.forklift_silent
    values = {"battery": lift.battery, "load": lift.load, "mode": lift.mode, "voltage": network.condition.voltage}
    return cells(network, 600, {name: np.where(known, one, np.nan) for name, one in values.items()})


def trucks(network: Network) -> xr.Dataset:
    assert network.condition is not None
    tracks, temperatures, (begin, stop) = network.tracks, network.condition.temperatures, network.size.span
    place = (tracks.time - begin) // 300
    kept = ~network.reported.silent & (place >= 0) & (place < (stop - begin) // 300)
    values = {}
    for name, one in (("speed", tracks.speed), ("brake", temperatures.brake), ("coolant", temperatures.coolant)):
        values[name] = np.full((network.size.trucks, (stop - begin) // 300), np.nan)
        values[name][tracks.truck[kept], place[kept]] = one[kept]
    return cells(network, 300, values)


#: Networks that nothing was chosen on.
SEEDS = (11, 12, 13)
FAST = ("speed", 60.0, 200.0)
INDICATORS = {
    "cold_room": default_indicators(
        ["temperature", "current"], {"door": {0: "closed", 1: "open"}, "compressor": {0: "off", 1: "on"}}
    ),
    "forklift": default_indicators(["battery", "load", "voltage"], {"mode": {0: "idle", 1: "driving", 2: "charging"}}),
    "truck": (
        *default_indicators(["speed", "brake", "coolant"], {}),
        Indicator("brake", during=FAST),
        Indicator("coolant", during=FAST),
    ),
}


def state_of(network: Network, asset_type: str, history: xr.Dataset, failures: list[Failure]) -> State:
    """All of a network's assets of one type, with the failures until its end."""
    end = history["time"].values[-1] + (step := np.diff(history["time"].values[:2])[0])
    table = pd.DataFrame({
        "event_id": [str(place) for place in range(len(failures))], "type": "failure", "asset": [str(one.asset) for one in failures],
        "start": np.array([one.failed for one in failures], "M8[s]").astype("M8[ns]"),
        "end": np.array([one.repaired for one in failures], "M8[s]").astype("M8[ns]"),
    }).assign(planned_start=pd.NaT, planned_end=pd.NaT)  # fmt: skip
    table = table[table["start"] <= end].reset_index(drop=True)
    groups = network.rooms.frozen if asset_type == "cold_room" else np.zeros(history.sizes["asset"], bool)
    return State(
        end, history, step, events={"failure": table.assign(end=table["end"].where(table["end"] <= end))},
        assets={asset_type: pd.DataFrame({"group": groups}, index=history["asset"].values)},
    )  # fmt: skip


def outcomes(risk: xr.DataArray, table: pd.DataFrame) -> np.ndarray:
    """Whether each asset fails in the 7 days after each issue time; NaN where that isn't over yet."""
    when = risk["issue_time"].values[:, None]
    out = np.zeros(risk.shape)
    for place, asset in enumerate(risk["asset"].values):
        starts = table.loc[table["asset"] == asset, "start"].to_numpy("M8[ns]")
        out[:, place] = ((starts > when) & (starts <= when + 7 * ONE_DAY)).any(axis=1)
    out[when[:, 0] > when[-1, 0] - 7 * ONE_DAY] = np.nan
    return out


def alarms_of(risk: xr.DataArray, limit: float, *, release: float = 0.7) -> list[tuple[str, int, int]]:
    """From the second day in a row with a risk of at least the limit until the first one with less than 0.7 of it."""
    days = risk["issue_time"].values.astype("M8[s]").astype(int)
    found = []
    for place, asset in enumerate(risk["asset"].values):
        since, above = None, 0
        for day, one in zip(days.tolist(), risk.values[:, place].tolist(), strict=True):
            above = above + 1 if one >= limit else 0
            if since is None and above >= 2:
                since = day
            elif since is not None and not one >= release * limit:
                found.append((str(asset), since, day))
                since = None
        if since is not None:
            found.append((str(asset), since, int(days[-1]) + DAY))
    return found


@dataclass
class Judged:
    """Tallies of alarms, and risks with their outcomes."""

    ours: Tally = field(default_factory=Tally)
    oldest: Tally = field(default_factory=Tally)
    risk: list[np.ndarray] = field(default_factory=list)
    fixed: list[np.ndarray] = field(default_factory=list)
    share: list[np.ndarray] = field(default_factory=list)
    true: list[np.ndarray] = field(default_factory=list)

    def add(self, network: Network, asset_type: str, history: xr.Dataset) -> None:
        assert network.condition is not None
        failures = [one for one in network.condition.disturbances.failures if one.asset_type == asset_type]
        state = state_of(network, asset_type, history, failures)
        known = history["time"].values[0] + JUDGED * ONE_DAY
        step = f"{int(state.step / np.timedelta64(1, 'm'))}min"
        settings = FailureSettings("failure", asset_type, INDICATORS[asset_type], step=step, group="group")
        fitted = FailurePredictor(settings).fit(state.at(known, window=JUDGED * ONE_DAY))
        # Updated each day, as a twin that predicts each day does it; beside it the probabilities of the fit.
        risk, fixed = (
            fitted.over_time(state, within="7d", updated=one).sel(issue_time=slice(known, None))
            for one in (True, False)
        )
        kept = list(range(history.sizes["asset"]))
        # As many alarms as failures, on the assets that have worked longest since their last failure.
        oldest = self.age(risk, state.events["failure"])
        for total, found in ((self.ours, alarms_of(risk, 0.5)), (self.oldest, alarms_of(oldest, 35.0))):
            for name, value in vars(count(network, failures, found, kept=kept)).items():
                setattr(total, name, getattr(total, name) + value)
        true = outcomes(risk, state.events["failure"])
        usable = ~np.isnan(true) & ~np.isnan(risk.values)
        self.risk.append(risk.values[usable])
        self.fixed.append(fixed.values[usable])
        self.share.append(np.full(usable.sum(), fitted.model.usual(7.0)))
        self.true.append(true[usable])

    @staticmethod
    def age(risk: xr.DataArray, table: pd.DataFrame) -> xr.DataArray:
        """Days since each asset's last failure, or since the beginning."""
        when = risk["issue_time"].values
        out = np.zeros(risk.shape)
        for place, asset in enumerate(risk["asset"].values):
            starts = np.sort(table.loc[table["asset"] == asset, "start"].to_numpy("M8[ns]"))
            last = np.concatenate([[when[0] - JUDGED * ONE_DAY], starts])[np.searchsorted(starts, when, side="right")]
            out[:, place] = (when - last) / ONE_DAY
        return risk.copy(data=out)


def test_risks_of_planted_failures() -> None:
    total: dict[str, Judged] = {name: Judged() for name in INDICATORS}
    begin = time.process_time()
    for seed in SEEDS:
        network = simulate_network(
            ParcelSize(hubs=12, trucks=60, cold_rooms=40, forklifts=60, parcels_a_week=50, seed=seed, failures=FailureRates())
        )  # fmt: skip
        for asset_type, read in (("cold_room", rooms), ("forklift", forklifts), ("truck", trucks)):
            total[asset_type].add(network, asset_type, read(network))
    for name, one in total.items():
        risk, fixed, share, true = (np.concatenate(part) for part in (one.risk, one.fixed, one.share, one.true))
        note(
            f"parcel {name}",
            **vars(one.ours),
            auc=auc(risk, true),
            auc_of_fit=auc(fixed, true),
            brier=brier(risk, true),
            brier_of_fit=brier(fixed, true),
            brier_of_share=brier(share, true),
        )
    risk, fixed, share, true = (
        np.concatenate([part for one in total.values() for part in getattr(one, name)])
        for name in ("risk", "fixed", "share", "true")
    )
    note("parcel all", auc=auc(risk, true), auc_of_fit=auc(fixed, true), brier=brier(risk, true), brier_of_fit=brier(fixed, true),
         brier_of_share=brier(share, true), cpu_s=time.process_time() - begin)  # fmt: skip
    for title, issued in (("reliability", risk), ("reliability of the fit", fixed)):
        for row in reliability(issued, true, bins=5).to_dict("records"):
            note(f"parcel {title} from {row['low']:.1f}", **row)
    assert auc(risk, true) >= auc(fixed, true) - 0.001
    assert brier(risk, true) < brier(fixed, true) < brier(share, true)
    found = failures = false = 0
    weeks = 0.0
    for title in ("ours", "oldest"):
        parts: list[Tally] = [getattr(one, title) for one in total.values()]
        found, failures = sum(one.found for one in parts), sum(one.failures for one in parts)
        false, weeks = sum(one.false for one in parts), sum(one.asset_weeks for one in parts)
        note(
            f"parcel alarms, {title}",
            recall=found / failures,
            failures=failures,
            false_per_100_asset_weeks=100 * false / weeks,
        )
        if title == "ours":
            assert found >= 0.9 * failures
            assert 100 * false <= weeks
