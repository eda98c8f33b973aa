"""Streaming scores of 1,000 assets with 5 signals beside scikit-learn's PCA on the same rows, rounds of the historian, and what they cost it.

python -m pytest tests/benchmarks/test_anomaly_stream_bench.py -m benchmark -n0 -s
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.decomposition import PCA

import twinlab as tl
from twinlab.predict.anomaly import AnomalyModel, Forest, Hysteresis, Pca, RobustZ, advance, fit, start_stream
from twinlab.predict.anomaly.scoring import Detector

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

ASSETS, SIGNALS, BATCHES = 1000, 5, 300
RULE = Hysteresis()


def fleet(rows: int, *, seed: int = 0) -> xr.Dataset:
    """A fleet whose signals go together."""
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(rows, ASSETS, SIGNALS)) @ np.random.default_rng(9).normal(size=(SIGNALS, SIGNALS))
    columns = {f"signal {place}": (("time", "asset"), mixed[:, :, place]) for place in range(SIGNALS)}
    return xr.Dataset(
        columns, {"time": np.arange(rows).astype("M8[m]"), "asset": [f"A{number}" for number in range(ASSETS)]}
    )


def values_of(data: xr.Dataset) -> np.ndarray:
    return np.stack([data[name].values for name in data], axis=2)


class Peer:
    """T² and Q with scikit-learn: the same scaling, components and limits, block by block."""

    def __init__(self, model: AnomalyModel, learnt: np.ndarray) -> None:
        self.offset, self.scale = model.levels.mean + model.offset, model.scale
        scaled = ((learnt - self.offset) / self.scale).reshape(-1, SIGNALS)
        self.pca = PCA(n_components=model.detector.components.shape[1]).fit(scaled)
        self.pca.mean_[:] = 0.0
        self.limits = model.detector.t2_limit, model.detector.q_limit

    def index(self, values: np.ndarray) -> np.ndarray:
        rows = ((values - self.offset) / self.scale).reshape(-1, SIGNALS)
        along = self.pca.transform(rows)
        t2 = (along**2 / self.pca.explained_variance_).sum(axis=1)
        q = ((rows - self.pca.inverse_transform(along)) ** 2).sum(axis=1)
        return np.maximum(t2 / self.limits[0], q / self.limits[1])


def seconds_a_batch(work: object, batches: list[np.ndarray]) -> tuple[float, float]:
    """Median and 99th percentile of the CPU seconds of a batch."""
    took = []
    for one in batches:
        begin = time.process_time()
        work(one)
        took.append(time.process_time() - begin)
    return float(np.median(took)), float(np.percentile(took, 99))


@pytest.mark.parametrize("detector", [Pca(), RobustZ(), Forest()], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("follow", [0.0, 0.85])
def test_scores_events_and_state_of_a_batch(detector: Detector, follow: float) -> None:
    learnt = fleet(400)
    if follow:
        learnt["signal 0"][:, ::7] += np.linspace(0, 30, 400)[:, None]
    model = fit(learnt, detector=detector, follow=follow)
    later = values_of(fleet(BATCHES, seed=1))
    later[100:150, :5] += 8
    if follow:
        later[:, ::7, 0] += 30
    count = 20 if isinstance(detector, Forest) else BATCHES
    batches = [later[place : place + 1] for place in range(count)]
    state, clock, ended = start_stream(model, RULE), iter(range(10**6)), []

    def work(batch: np.ndarray) -> None:
        nonlocal state
        found, state = advance(model, batch, np.array([next(clock)]), state, RULE, limits=[(0, 1.5)])
        ended.extend(found)

    median, p99 = seconds_a_batch(work, batches)
    points = ASSETS * SIGNALS
    figures = {"batch_ms": 1000 * median, "p99_ms": 1000 * p99, "points_a_second": points / median}
    if isinstance(detector, Pca) and not follow:
        peer = Peer(model, values_of(learnt))
        mine = np.concatenate([model.score_values(one)[0].ravel() for one in batches])
        theirs = np.concatenate([peer.index(one) for one in batches])
        # The checksum: equal scores.
        np.testing.assert_allclose(mine, theirs, rtol=1e-2)
        figures["sum_of_indexes"], figures["of_the_peer"] = float(mine.sum()), float(theirs.sum())
        other, _ = seconds_a_batch(peer.index, batches)
        alone, _ = seconds_a_batch(model.score_values, batches)
        figures |= {"peer_ms": 1000 * other, "scores_alone_ms": 1000 * alone, "peer_over_scores_alone": other / alone}
        assert len(ended) + len(state.tracking.active) >= 5
    note(f"stream {type(detector).__name__}, levels {'follow' if follow else 'stay'}", **figures)


MODEL = "twin: fleet\norigin: 2026-01-01\nasset_types:\n  pump:\n    signals:\n" + "".join(
    f"      s{place}: {{unit: degC, resolution: 0.001, cadence: 1min}}\n" for place in range(SIGNALS)
)
FEED = (
    "source: feed\ntables:\n  - table: '*'\n    time: {column: time, zone: UTC}\n    asset: {type: pump, column: pump}\n    columns:\n"
    + "".join(f"      s{place}: {{signal: s{place}, unit: degC}}\n" for place in range(SIGNALS))
)


def table(first: int, rows: int, random: np.random.Generator) -> pd.DataFrame:
    times = np.datetime64("2026-01-02", "ns") + (first + np.arange(rows)) * np.timedelta64(1, "m")
    values = random.normal(size=(rows * ASSETS, SIGNALS)).round(3)
    found = pd.DataFrame(values, columns=[f"s{place}" for place in range(SIGNALS)])
    found.insert(0, "time", np.repeat(times, ASSETS))
    found.insert(1, "pump", np.tile([f"P{number:04d}" for number in range(ASSETS)], rows))
    return found


def live_fleet(folder: Path, *, rate: int = 1_000_000) -> tl.Twin:
    folder.mkdir()
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "feed.yaml").write_text(
        FEED + f"live: {{kind: replay, file: later.csv, rows: 400, rate: {rate}, lateness: 2min}}\n"
    )
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "feed.yaml")
    with twin.writer() as writer:
        writer.append(table(0, 200, np.random.default_rng(0)), table="later")
    return twin


def test_a_round_of_new_rows(tmp_path: Path) -> None:
    twin, random = live_fleet(tmp_path / "fleet"), np.random.default_rng(1)
    twin.watch_anomalies("pump", fitted=twin.fit_anomalies("pump"))
    took, wall = [], []
    with twin.writer() as writer:
        for row in range(200, 230):
            writer.append(table(row, 1, random), table="later")
            begin, clock = time.process_time(), time.perf_counter()
            twin.anomaly_events.update(twin.reader, write_after=10.0)
            took.append(time.process_time() - begin)
            wall.append(time.perf_counter() - clock)
    note(
        "round of 5,000 new points", cpu_ms=1000 * float(np.median(took[3:])), wall_ms=1000 * float(np.median(wall[3:]))
    )
    fitted = twin.anomaly_events.fitted("pump")
    one = twin.anomalies("pump", fitted=fitted, start=fitted.usual[1])
    assert len(one) == len(twin.anomaly_events.table())


def test_what_a_watch_costs_the_historian_at_40000_points_a_second(tmp_path: Path) -> None:
    rows = table(200, 100, np.random.default_rng(2))
    for name in ("without", "with"):
        twin = live_fleet(tmp_path / name, rate=8_000)
        if name == "with":
            twin.watch_anomalies("pump", fitted=twin.fit_anomalies("pump"))
        rows.to_csv(twin.folder / "later.csv", index=False)
        begin, cpu = time.perf_counter(), time.process_time()
        status = twin.run(once=True)
        took = time.perf_counter() - begin
        source = status.sources["feed"]
        assert source["rows"] == len(rows)
        note(
            f"historian {name} a watch", points_a_second=SIGNALS * len(rows) / took, cpu_seconds=time.process_time() - cpu,
            durable_p50_s=source["received_p50"], durable_p99_s=source["received_p99"], load=os.getloadavg()[0],
        )  # fmt: skip
        if name == "with":
            assert twin.anomaly_events.status()["scored_until"][0] == rows["time"].iloc[-1] + pd.Timedelta("1min")
