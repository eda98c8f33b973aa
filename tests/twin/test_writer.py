"""`Twin.writer`: many small batches under one lock, durable and readable at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import twinlab as tl
from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, SchemaError, SourceError, UnknownTermError
from twinlab.history import Historian
from twinlab.history.write import waiting_rows
from twinlab.twin import writer as writer_module

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
"""
GATE = """
source: gate
tables:
  - table: gate
    time: {column: time, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {temperature: {signal: temperature, unit: degC}}
"""
FEED = r"""
source: feed
stream:
  zone: Europe/Berlin
  tags:
    '/^(?P<id>\w+)[.]t$/': {signal: temperature, asset: 'truck/{id}', unit: degC}
"""
START = pd.Timestamp("2026-03-01")


@pytest.fixture
def twin(tmp_path: Path) -> tl.twin.Twin:
    for name, text in (("twin.yaml", MODEL), ("gate.yaml", GATE), ("feed.yaml", FEED)):
        (tmp_path / name).write_text(text)
    return tl.create(
        tmp_path / "site", model=tmp_path / "twin.yaml", mappings=[tmp_path / "gate.yaml", tmp_path / "feed.yaml"]
    )


def log(minute: int, *, value: float = 4.5, truck: str = "a") -> pd.DataFrame:
    return pd.DataFrame({"time": [START + pd.Timedelta(minutes=minute)], "truck": [truck], "temperature": [value]})


def values(twin: tl.twin.Twin) -> list[float]:
    return twin.history("truck").temperature.values.ravel().tolist()


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list with an entry for each publication."""
    seen: list[int] = []
    plain = Historian.catch_up

    def catch_up(self: Historian, *args: object, **kwargs: object) -> object:
        seen.append(1)
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(Historian, "catch_up", catch_up)
    return seen


def test_rows_are_readable_at_once_and_published_when_the_block_ends(twin: tl.twin.Twin, builds: list[int]) -> None:
    with twin.writer("gate") as writer:
        for n in range(5):
            ack = writer.append(log(n, value=float(n)))
            assert (ack.rows, ack.position, writer.position) == (1, n + 1, n + 1)
            assert values(twin) == list(map(float, range(n + 1)))
        assert builds == [1], "the first reader found no history at all"
        assert "open, position 5" in repr(writer)
    assert builds == [1, 1]
    assert twin._current_historian().status().behind == 0
    assert values(tl.open(twin.folder)) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert "closed" in repr(writer)


def test_another_process_reads_rows_that_are_not_published(twin: tl.twin.Twin) -> None:
    code = "import sys, twinlab as tl; print(tl.open(sys.argv[1]).history('truck').temperature.values.ravel().tolist())"
    with twin.writer("gate") as writer:
        writer.append(log(0, value=7.5))
        found = subprocess.run(
            [sys.executable, "-c", code, str(twin.folder)], capture_output=True, text=True, check=True
        )
        assert found.stdout.strip() == "[7.5]"


def test_publication_comes_with_many_rows_or_with_time(
    twin: tl.twin.Twin, builds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_rows, "PUBLISH", ((3, 0.0), (1, 3600.0)))
    monkeypatch.setattr(waiting_rows, "BULK", (0.0, 3))
    with twin.writer("gate") as writer:
        for n in range(4):
            writer.append(log(n))
        assert len(builds) == 1
        monkeypatch.setattr(waiting_rows, "PUBLISH", ((3, 0.0), (1, 0.0)))
        writer.append(log(4))
        assert len(builds) == 2
        assert writer.publish().commits == 0
    assert len(builds) == 3, "nothing was left to publish"


def test_a_writer_that_takes_in_many_rows_publishes_each_second_or_when_very_many_wait(
    twin: tl.twin.Twin, builds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(waiting_rows, "PUBLISH", ((2, 0.0),))
    monkeypatch.setattr(waiting_rows, "BULK", (1.0, 5))
    with twin.writer("gate") as writer:
        for n in range(4):
            writer.append(log(n))
        assert builds == []
        writer.append(log(4))
        assert len(builds) == 1, "five rows wait"
        writer.append(log(5))
        writer.append(log(6))
        assert len(builds) == 1
        now[0] += 1.5
        writer.append(log(7))
        assert len(builds) == 2, "a second has passed, and more than two rows wait"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("form", ["pandas", "batch", "table"])
def test_observations_from_pandas_and_arrow_of_any_time_unit(twin: tl.twin.Twin, unit: str, form: str) -> None:
    times = pd.DatetimeIndex(["2026-03-01T00:00", "2026-03-01T00:01"], tz="UTC").as_unit(unit)
    frame = pd.DataFrame({"tag": ["a.t", "b.t"], "source_time": times, "value": [1.0, 2.0]})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    data = {"pandas": frame, "table": table, "batch": table.to_batches()[0]}[form]
    with twin.writer("feed") as writer:
        assert writer.append(data).rows == 2
    found = twin.history("truck").temperature
    assert found.time.values[0] == np.datetime64("2026-03-01T00:00")
    np.testing.assert_array_equal(found.values, [[1.0, np.nan], [np.nan, 2.0]])


def test_times_without_a_zone_are_those_of_the_mapping(twin: tl.twin.Twin) -> None:
    frame = pd.DataFrame({"tag": ["a.t"], "source_time": [START], "value": [1.0]})
    with twin.writer("feed") as writer:
        writer.append(frame)
        with pytest.raises(SchemaError, match="have a zone"):
            writer.append(frame.assign(source_time=frame.source_time.dt.tz_localize("UTC"), time_basis="local"))
    assert twin.history("truck").time.values[0] == np.datetime64("2026-02-28T23:00")


def test_rows_of_a_table_may_be_arrow_data(twin: tl.twin.Twin) -> None:
    parts = [pa.Table.from_pandas(log(n, value=n), preserve_index=False) for n in range(2)]
    with twin.writer("gate") as writer:
        assert writer.append(pa.concat_tables(parts)).rows == 2
        assert writer.append(parts[0].slice(0, 0)).rows == 0
        assert writer.append(log(2, value=2.0), table="gate").position == 3
    assert values(twin) == [0.0, 1.0, 2.0]


def test_a_rule_for_all_other_tables_asks_nothing_of_a_table_with_its_own(tmp_path: Path) -> None:
    other = """  - table: "*"
    time: {column: when, zone: UTC}
    asset: {type: truck, column: vehicle}
    columns: {heat: {signal: temperature, unit: degC}}
"""
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "gate.yaml").write_text(GATE + other)
    twin = tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=[tmp_path / "gate.yaml"])
    with twin.writer() as writer:
        writer.append(log(0), table="gate")
        with pytest.raises(SchemaError, match="expected a column 'when'"):
            writer.append(log(1), table="visits")
    assert values(twin) == [4.5]


def test_wrong_data_is_refused_before_anything_is_written(twin: tl.twin.Twin) -> None:
    with twin.writer("gate") as writer:
        with pytest.raises(
            SchemaError, match=r"table 'gate': expected a column 'time' \(time of the mapping\), got when"
        ):
            writer.append(log(0).rename(columns={"time": "when"}))
        with pytest.raises(UnknownTermError, match="no table 'gaet'; did you mean 'gate'"):
            writer.append(log(0), table="gaet")
        with pytest.raises(
            SchemaError, match="expected a pandas DataFrame or a pyarrow RecordBatch or Table, got list"
        ):
            writer.append([1, 2])  # type: ignore[arg-type]
        assert writer.position == 0
    with twin.writer("feed") as writer:
        good = pd.DataFrame({"tag": ["a.t"], "source_time": [START], "value": [1.0]})
        with pytest.raises(SchemaError, match="column 'valeu': expected columns of observations; did you mean 'value'"):
            writer.append(good.rename(columns={"value": "valeu"}))
        with pytest.raises(SchemaError, match="column 'value': expected double"):
            writer.append(good.assign(value=["warm"]))
        with pytest.raises(SchemaError, match="column 'source_time'"):
            writer.append(good.drop(columns="source_time"))
        assert writer.position == 0


def test_the_source_is_named_or_the_only_one(twin: tl.twin.Twin) -> None:
    with pytest.raises(SchemaError, match="expected source=, one of feed, gate"):
        twin.writer()
    with pytest.raises(UnknownTermError, match="source 'gaet' has no mapping; did you mean 'gate'"):
        twin.writer("gaet")
    twin.mappings = {"gate": twin.mappings["gate"]}
    with twin.writer() as writer:
        assert writer.source == "gate"


def test_a_closed_writer_says_so(twin: tl.twin.Twin) -> None:
    with twin.writer("gate") as writer:
        writer.append(log(0))
    writer.close()
    with pytest.raises(SourceError, match="closed; open another with twin.writer"):
        writer.append(log(1))
    with pytest.raises(SourceError, match="closed"):
        writer.publish()


def test_a_second_writer_in_another_process_names_the_first(twin: tl.twin.Twin) -> None:
    import os

    code = "import sys, twinlab as tl; tl.open(sys.argv[1]).writer('gate')"
    with twin.writer("gate"):
        found = subprocess.run(
            [sys.executable, "-c", code, str(twin.folder)], capture_output=True, text=True, check=False
        )
        assert f"source 'gate' is locked by process {os.getpid()} on " in found.stderr
        with pytest.raises(HistoryConflictError, match="source 'gate' is locked"):
            twin.ingest(tl.sources.frame(log(0), name="gate"))
        with twin.writer("feed"):
            pass
    twin.ingest(tl.sources.frame(log(0), name="gate"))


def test_a_publication_that_fails_is_a_warning_and_the_rows_are_kept(
    twin: tl.twin.Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_rows, "PUBLISH", ((1, 0.0),))
    monkeypatch.setattr(waiting_rows, "BULK", (0.0, 1))

    def full(self: Historian, *args: object, **kwargs: object) -> object:
        msg = "the disk is full"
        raise SourceError(msg)

    with twin.writer("gate") as writer:
        with monkeypatch.context() as patched:
            patched.setattr(Historian, "catch_up", full)
            with pytest.warns(RuntimeWarning, match="rows are stored, but not published yet: the disk is full"):
                writer.append(log(0, value=1.0))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert writer.append(log(1, value=2.0)).position == 2
        with Lock(twin.folder / "history.lock", what="the history"):
            assert writer.append(log(2, value=3.0)).position == 3
    assert values(tl.open(twin.folder)) == [1.0, 2.0, 3.0]


def test_an_error_in_the_block_is_the_one_that_is_raised(twin: tl.twin.Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_PATIENCE", 0.0)
    with Lock(twin.folder / "history.lock", what="the history"):
        with pytest.raises(ZeroDivisionError) as caught, twin.writer("gate") as writer:
            writer.append(log(0, value=1.0))
            raise ZeroDivisionError
        assert "durable, but weren't published" in caught.value.__notes__[0]
    assert values(twin) == [1.0]
    with twin.writer("gate"):
        pass


def test_threads_share_a_writer(twin: tl.twin.Twin) -> None:
    with twin.writer("gate") as writer:

        def some(first: int) -> None:
            for n in range(first, first + 10):
                writer.append(log(n, value=float(n)))

        threads = [threading.Thread(target=some, args=(10 * k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert writer.position == 40
    assert values(twin) == list(map(float, range(40)))


def test_many_ingests_share_one_historian_and_one_reader(twin: tl.twin.Twin, tmp_path: Path) -> None:
    twin.ingest(tl.sources.frame(log(0, value=1.0), name="gate"))
    assert values(twin) == [1.0]
    reader, historian = twin.reader, twin._current_historian()
    twin.ingest(tl.sources.frame(log(1, value=2.0), name="gate"))
    tl.open(twin.folder).ingest(tl.sources.frame(log(2, value=3.0), name="gate"))
    twin.ingest(tl.sources.frame(log(3, value=4.0), name="gate"))
    assert values(twin) == [1.0, 2.0, 3.0, 4.0]
    assert twin.reader is reader
    assert twin._current_historian() is historian
    (tmp_path / "gate2.yaml").write_text(GATE.replace("unit: degC}", "unit: K}"))
    twin.ingest(tl.sources.frame(log(4, value=300.0), name="gate", mapping=tmp_path / "gate2.yaml"))
    assert twin.reader is not reader
    assert values(twin)[-1] == pytest.approx(26.85, abs=0.06)
