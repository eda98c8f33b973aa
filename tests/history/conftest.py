"""A small twin in a folder: a ledger with streams, a model and mappings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest

from twinlab.ledger import Ledger
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

MINUTE = 60 * 10**9
ORIGIN = int(np.datetime64("2024-01-01", "ns").astype("int64"))

MODEL = {
    "twin": "tiny",
    "origin": "2024-01-01",
    "asset_types": {
        "room": {
            "signals": {
                "temperature": {
                    "unit": "degC", "resolution": 0.1, "cadence": "1min", "sensor_span": [-40, 85], "expected_span": [-5, 30],
                    "spike": [2, 10], "max_rate": [0.5, 2], "flat_line": "10min", "gap": "5min",
                },
                "humidity": {"unit": "%", "resolution": 0.5, "cadence": "1min", "combine": "mean"},
                "door": {"kind": "state", "states": {0: "closed", 1: "open"}, "cadence": "1min"},
                "energy": {"kind": "counter", "unit": "kWh", "resolution": 0.01, "cadence": "15min"},
            },
            "properties": {"floor": {"dtype": "integer"}, "zone": {}},
        },
    },
    "relationships": {"next_to": {"from": "room", "to": "room"}},
    "event_types": {"visit": {"asset": "room", "links": {"other": "room"}, "properties": {"guests": {"dtype": "integer"}}}},
}  # fmt: skip

STREAM = {
    "source": "rooms",
    "stream": {
        "tags": {
            "/^(?P<room>[a-z]+)[.]t$/": {"signal": "temperature", "asset": "room/{room}", "unit": "degC"},
            "/^(?P<room>[a-z]+)[.]h$/": {"signal": "humidity", "asset": "room/{room}", "unit": "%"},
            "/^(?P<room>[a-z]+)[.]d$/": {
                "signal": "door",
                "asset": "room/{room}",
                "states": {"0": "closed", "1": "open"},
            },
            "/^(?P<room>[a-z]+)[.]e$/": {"signal": "energy", "asset": "room/{room}", "unit": "kWh"},
        }
    },
}


class Site:
    """A twin's folder with ledger, model and mappings."""

    def __init__(self, root: Path, mappings: dict[str, dict] | None = None, model: dict | None = None) -> None:
        self.root = root
        self.ledger = Ledger(root / "ledger")
        self.model = TwinModel.model_validate(model or MODEL)
        self.mappings = {m["source"]: Mapping.model_validate(m) for m in (mappings or {"rooms": STREAM}).values()}

    def historian(self):
        from twinlab.history.write.historian import Historian

        return Historian(self.root, self.ledger, self.model, self.mappings)

    def reader(self):
        from twinlab.history.read.reader import HistoryReader

        return HistoryReader(
            self.root, self.ledger, self.model, self.mappings, rebuild=lambda: self.historian().catch_up()
        )

    def append(self, rows: list[tuple], source: str = "rooms", **constant) -> None:
        """Append (tag, minute, value, sequence) rows as one frame."""
        with self.ledger.writer(source) as writer:
            writer.append_observations(observations(rows, **constant))


def observations(rows: list[tuple], *, op: int = 0, keys: list[str] | None = None) -> pa.RecordBatch:
    columns = {
        "tag": pa.array([r[0] for r in rows]).dictionary_encode(),
        "source_time": pa.array([ORIGIN + round(r[1] * MINUTE) for r in rows], pa.int64()),
        "time_basis": pa.array(["utc"] * len(rows)).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
        "value": pa.array([r[2] for r in rows], pa.float64()),
        "sequence": pa.array([r[3] if len(r) > 3 else None for r in rows], pa.int64()),
        "epoch": pa.array([0 if len(r) > 3 else None for r in rows], pa.int64()),
        "op": pa.array([op] * len(rows), pa.int8()),
    }
    if keys is not None:
        columns["key"] = pa.array(keys, pa.string())
    return pa.RecordBatch.from_pydict(columns)


@pytest.fixture(scope="session")
def make_site() -> type[Site]:
    """The class of twins in a folder."""
    return Site


@pytest.fixture(scope="session")
def rows_of():
    """A function that returns a batch of observations with keys or retractions."""
    return observations


@pytest.fixture
def site() -> Iterator[Site]:
    # These tests aren't about durability, and syncs of a disk would take most of the time.
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Site(Path(folder))
