"""Heavy calls on a Dask cluster of processes, a worker of which is killed: the results are those of this process."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from twinlab.compute.cluster import ClusterPool
from twinlab.errors import SchemaError
from twinlab.events.finding import parts as find_parts
from twinlab.events.kpis.over_time import parts as kpi_parts
from twinlab.events.kpis.over_time import results as kpi_results
from twinlab.history.read import flat_tables
from twinlab.history.write import rebuild as rebuilding


def copied(twin: tl.Twin, folder: Path) -> tl.Twin:
    """Return a copy of a twin that may be written."""
    return tl.open(shutil.copytree(twin.folder, folder / "copy"))


@pytest.fixture
def small_parts(monkeypatch):
    """Let calls be divided into more parts than the small twin needs."""
    monkeypatch.setattr(find_parts, "_MOST_CELLS", 20_000)
    monkeypatch.setattr(find_parts, "_LEAST_CELLS", 20_000)
    monkeypatch.setattr(kpi_parts, "_ROLLUP_WINDOWS", 100)
    monkeypatch.setattr(kpi_results, "_CELLS", 30_000)
    monkeypatch.setattr(flat_tables, "_READ_BYTES", 2**18)
    monkeypatch.setattr(rebuilding, "piece_length", lambda _: 2048)


def test_check(rooms, cluster_client, loses_a_worker):
    here = rooms.check()
    assert len(here.table)
    with loses_a_worker():
        there = rooms.check(client=cluster_client)
    assert there.table.equals(here.table)
    assert there.notes == here.notes


CONDITIONS = [
    ("temperature > 11 degC", {}),
    ("mean(temperature) over 6h > 8 degC and door == closed", {"lasting": "2h"}),
    ("temperature > 9 degC for at least 2h", {"gap": "1h", "start": "2026-02-03T07:00", "assets": ["R8", "R2"]}),
]


@pytest.mark.parametrize(("condition", "options"), CONDITIONS)
@pytest.mark.usefixtures("small_parts")
def test_find(rooms, cluster_client, condition, options):
    here = rooms.find(condition, on="room", **options)
    there = rooms.find(condition, on="room", client=cluster_client, **options)
    pd.testing.assert_frame_equal(there, here)
    assert len(here) > 5
    # Some last over the end of a month: one event.
    edges = pd.to_datetime(["2026-02-01", "2026-03-01"])
    crossing = [((here.start < edge) & (here.end > edge)).sum() for edge in edges]
    assert sum(crossing) > 0


@pytest.mark.usefixtures("small_parts")
def test_find_while_a_worker_is_killed(rooms, cluster_client, loses_a_worker):
    with loses_a_worker():
        there = rooms.find("rate(temperature) > 1 degC/h", on="room", client=cluster_client)
    pd.testing.assert_frame_equal(there, rooms.find("rate(temperature) > 1 degC/h", on="room"))


@pytest.mark.usefixtures("small_parts")
def test_what_comes_meanwhile_is_in_no_part(rooms, cluster_client, tmp_path, monkeypatch):
    twin = copied(rooms, tmp_path)
    here = twin.find("temperature > 9 degC", on="room")
    submit, written = ClusterPool.submit, []

    def writing(self, *arguments, **options):
        if not written:
            with tl.open(twin.folder).writer() as writer:
                rows = {"time": ["2026-03-31T10:00"], "room": ["R1"], "t": [25.0], "door": [0], "energy": [9e9]}
                written.append(writer.append(pd.DataFrame(rows)))
        return submit(self, *arguments, **options)

    monkeypatch.setattr(ClusterPool, "submit", writing)
    there = twin.find("temperature > 9 degC", on="room", client=cluster_client)
    pd.testing.assert_frame_equal(there, here)
    assert written
    assert len(twin.find("temperature > 9 degC", on="room")) == len(here) + 1


@pytest.mark.parametrize("name", ["warm", "mean", "used"])
@pytest.mark.usefixtures("small_parts")
def test_kpi(rooms, cluster_client, loses_a_worker, name):
    options = {"by": "asset"} if name == "used" else {}
    here = rooms.kpi(name, **options)
    if name == "warm":
        with loses_a_worker():
            there = rooms.kpi(name, client=cluster_client, **options)
    else:
        there = rooms.kpi(name, client=cluster_client, **options)
    xr.testing.assert_identical(there, here)
    assert np.isfinite(here.value).any()


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".zarr"])
@pytest.mark.usefixtures("small_parts")
def test_export(rooms, cluster_client, loses_a_worker, tmp_path, suffix):
    options = {"signals": ["temperature", "door"], "start": "2026-01-29", "stop": "2026-03-31"}
    here = rooms.export("room", tmp_path / f"here{suffix}", **options)
    with loses_a_worker():
        there = rooms.export("room", tmp_path / f"there{suffix}", client=cluster_client, **options)
    assert bytes_of(there) == bytes_of(here)
    assert {path.name for path in tmp_path.iterdir()} == {here.name, there.name}


def bytes_of(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    return {str(one.relative_to(path)): one.read_bytes() for one in files}


def cells(reader) -> xr.Dataset:
    found = reader.history("room").load()
    del found.attrs["snapshot"]
    return found


@pytest.mark.usefixtures("small_parts")
def test_rebuild(rooms, cluster_client, loses_a_worker, tmp_path):
    twin = copied(rooms, tmp_path)
    with loses_a_worker():
        assert twin.rebuild(client=cluster_client).rebuilt
    xr.testing.assert_identical(cells(twin), cells(rooms))
    assert not (twin.folder / "history.building").exists()


@pytest.mark.usefixtures("small_parts")
def test_remap(rooms, cluster_client, loses_a_worker, tmp_path, monkeypatch):
    from twinlab.history.revisions import revise

    monkeypatch.setattr(revise, "piece_length", lambda _: 2048)
    twin = copied(rooms, tmp_path)
    text = (twin.folder / "mapping" / "log.yaml").read_text().replace("unit: degC", "unit: degF")
    here = twin.remap("log", text)
    with loses_a_worker():
        there = twin.remap("log", text, client=cluster_client)
    xr.testing.assert_identical(cells(there), cells(here))
    # A revision is searched there, too.
    options = {"on": "room", "start": "2026-03-01"}
    pd.testing.assert_frame_equal(
        there.find("temperature < -10 degC", client=cluster_client, **options),
        here.find("temperature < -10 degC", **options),
    )


@pytest.mark.usefixtures("small_parts")
def test_a_twin_as_of_a_time_is_searched_there_too(rooms, cluster_client):
    then = rooms.as_of("2100-01-01")
    options = {"on": "room", "start": "2026-03-10", "stop": "2026-03-12"}
    pd.testing.assert_frame_equal(
        then.find("temperature > 8 degC", client=cluster_client, **options),
        then.find("temperature > 8 degC", **options),
    )


def test_backtest(rooms, cluster_client, loses_a_worker):
    from twinlab import predict

    inputs = predict.Inputs("room", ("temperature_mean",), step="1h", window="2d", training="10d")
    target = predict.SignalTarget("temperature_mean", "degC")
    model = predict.SeasonalNaive(inputs, target, ("6h",), season="24h", name="day")

    def run(**options):
        return predict.backtest(
            model,
            rooms,
            "2026-03-01",
            "2026-03-09",
            refit="1d",
            baselines={},
            final=False,
            knowledge=predict.ByEventTime(),
            progress=False,
            **options,
        )

    here = run(workers=1)
    with loses_a_worker():
        there = run(client=cluster_client)
    xr.testing.assert_identical(there.predictions["day", "then"], here.predictions["day", "then"])


def test_a_reader_that_workers_cannot_open_is_refused(rooms, cluster_client):
    from twinlab.twin.calibrations.readers import CalibratedReader

    with pytest.raises(SchemaError, match="got CalibratedReader, which workers can't open"):
        tl.events.find(CalibratedReader(rooms, None), "room.temperature > 1 degC", client=cluster_client)
