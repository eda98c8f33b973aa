"""Scores at the edge: those of the model to the last bit, sent as tags, whatever the batches and restarts."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.edge.test_gateway import Historian, settings
from twinlab.edge import Gateway, Outbox, Reading, Readings, read_settings
from twinlab.edge.reducing import Reducing
from twinlab.errors import SchemaError, SourceError, UnitError
from twinlab.predict.anomaly import AnomalyModel, fit

MINUTE = 60 * 10**9
ROWS = 60
SCORES = {"model": "room.npz", "every": "1min", "assets": {"R2": {"temperature": "r2/temp", "power": "r2/kw"}}}
UNITS = {"r2/temp": "°C", "r2/kw": "kW"}


def rooms(rows: int, seed: int, begin: int = 0) -> xr.Dataset:
    chance = np.random.default_rng(seed)
    temperature = 4 + np.linspace(0, 2, rows)[:, None] + chance.normal(0, 0.2, (rows, 3))
    power = 2 + chance.normal(0, 0.1, (rows, 3))
    columns = {
        "temperature": (("time", "asset"), temperature, {"units": "degC"}),
        "power": (("time", "asset"), power, {"units": "kW"}),
    }
    time = (np.datetime64("2026-03-01", "ns") + (begin + np.arange(rows)) * np.timedelta64(1, "m")).astype("M8[ns]")
    return xr.Dataset(columns, {"time": time, "asset": ["R1", "R2", "R3"]})


@pytest.fixture(scope="module")
def model() -> AnomalyModel:
    found = fit(rooms(800, 0), delay=10)
    assert found.levels.share.any()
    return found


@pytest.fixture(scope="module")
def later() -> xr.Dataset:
    rows = rooms(ROWS, 1, 800)
    rows["power"][30:, 1] += 2
    rows["temperature"][10, 1] = np.nan
    return rows


def readings(rows: xr.Dataset) -> list[Reading]:
    """Readings of the second room: two a minute, of which the later one counts."""
    out = []
    for place, start in enumerate(rows["time"].values.astype(np.int64).tolist()):
        for name, tag in SCORES["assets"]["R2"].items():
            value = float(rows[name].values[place, 1])
            if np.isfinite(value):
                out += [Reading(tag, start + 10**9, value - 1), Reading(tag, start + 40 * 10**9, value)]
    return out


def expected(model: AnomalyModel, rows: xr.Dataset) -> np.ndarray:
    return model.score(rows)[0]["index"].sel(asset="R2").values


def sent_scores(box: Outbox) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    first = 1
    while (block := box.read(first)) is not None:
        first = block.last + 1
        for row in block.content().rows():
            if row.tag.startswith("R2/"):
                found.setdefault(row.tag, []).append(float(row.value))
    return found


@pytest.mark.parametrize("step", [500, 7])
def test_scores_are_the_models_to_the_last_bit_over_restarts(
    model: AnomalyModel, later: xr.Dataset, tmp_path: Path, step: int
) -> None:
    model.export(tmp_path / "room.npz")
    chosen = settings(tmp_path, scores=[SCORES | {"model": str(tmp_path / "room.npz")}], units=UNITS)
    rows, box, chance = readings(later), Outbox(tmp_path / "box.db"), random.Random(3)
    reducing = Reducing(box, chosen)
    for first in range(0, len(rows), step):
        batch = rows[first : first + step]
        reducing.write({"other": Readings.of(batch, UNITS)})
        if chance.random() < 0.2:
            reducing = Reducing(box, chosen)  # what a process does that starts again
    late = Reading("r2/temp", rows[0].time, 99.0)
    reducing.write({"other": Readings.of([late], UNITS)})
    last = int(later["time"].values[-1].astype(np.int64)) + MINUTE
    assert reducing.close(last + 4 * 10**9).get("scores", []) == []
    assert len(reducing.close(last + 5 * 10**9)["scores"]) == 2
    found = sent_scores(box)
    np.testing.assert_array_equal(found["R2/anomaly"], expected(model, later))
    assert found["R2/unusual"] == (expected(model, later) >= 1).astype(float).tolist()
    assert sum(found["R2/unusual"]) > 20
    box.close()


def test_a_failed_transaction_leaves_the_state_before_it(
    model: AnomalyModel, later: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.export(tmp_path / "room.npz")
    chosen = settings(tmp_path, scores=[SCORES | {"model": str(tmp_path / "room.npz")}], units=UNITS)
    rows, box = readings(later), Outbox(tmp_path / "box.db")
    reducing = Reducing(box, chosen)
    reducing.write({"other": Readings.of(rows[:80], UNITS)})

    def full(*_: object, **__: object) -> None:
        raise SourceError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(box, "write", full)
        with pytest.raises(SourceError):
            reducing.write({"other": Readings.of(rows[80:], UNITS)})
    reducing.write({"other": Readings.of(rows[80:], UNITS)})
    reducing.close(2**62)
    np.testing.assert_array_equal(sent_scores(box)["R2/anomaly"], expected(model, later))
    box.close()


def test_the_gateway_sends_scores_beside_the_rows(model: AnomalyModel, later: xr.Dataset, tmp_path: Path) -> None:
    model.export(tmp_path / "room.npz")
    (tmp_path / "gateway.yaml").write_text(
        "name: g\nbroker: {host: nowhere}\noutbox: box.db\ncommit_every: 1ms\nunits: {r2/temp: °C, r2/kw: kW}\n"
        "scores:\n  - {model: room.npz, every: 1min, assets: {R2: {temperature: r2/temp, power: r2/kw}}}\n",
        encoding="utf-8",
    )
    historian, rows = Historian(), readings(later)

    async def main() -> None:
        async with Gateway(read_settings(tmp_path / "gateway.yaml"), connect=historian.connect) as gateway:
            await gateway.write(rows)
            await gateway.drain()

    asyncio.run(main())
    got = [row for part in historian.got for row in part.content.rows()]
    scores = [row.value for row in got if row.tag == "R2/anomaly"]
    np.testing.assert_array_equal(scores, expected(model, later)[:-1])
    assert [row for row in got if not row.tag.startswith("R2/")] == rows
    assert historian.births[-1].units["R2/anomaly"] == "1"


@pytest.mark.parametrize(
    ("change", "units", "error", "message"),
    [
        ({"assets": {"R9": {"power": "r2/kw"}}}, {}, SchemaError, "got 'R9'"),
        ({"assets": {"R2": {"pressure": "r2/bar"}}}, {}, SchemaError, "got 'pressure'"),
        ({"model": "none.npz"}, {}, SchemaError, "expected a model that `export` wrote"),
        ({}, {"r2/temp": "°F"}, UnitError, "declares '°F', the model .* was trained on degC"),
    ],
)
def test_what_doesnt_fit_the_model_is_refused_at_the_start(
    model: AnomalyModel, tmp_path: Path, change: dict[str, object], units: dict[str, str], error: type, message: str
) -> None:
    model.export(tmp_path / "room.npz")
    given = SCORES | change
    given["model"] = str(tmp_path / str(given["model"]))
    chosen = settings(tmp_path, scores=[given], units=units)

    async def opened() -> None:
        Gateway(chosen)

    with pytest.raises(error, match=message):
        asyncio.run(opened())
    Outbox(tmp_path / "box.db").close()  # nobody has it open
