"""A frame without a ledger, and a small model."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

from twinlab.harmonise import Context, harmonise
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

MODEL = {
    "twin": "cold",
    "asset_types": {
        "cold_room": {
            "properties": {"zone": {}},
            "signals": {
                "temperature": {"unit": "degC", "resolution": 0.01},
                "door": {"kind": "state", "states": {0: "closed", 1: "open"}},
                "energy": {"kind": "counter", "unit": "kWh", "resolution": 0.1},
            },
        },
        "truck": {
            "properties": {
                "built": {"dtype": "integer"},
                "empty_weight": {"dtype": "number", "unit": "kg"},
                "cooled": {"dtype": "boolean"},
            }
        },
        "depot": {"properties": {"zone": {}}},
    },
    "relationships": {"parked_at": {"from": "truck", "to": "depot"}},
    "event_types": {
        "trip": {
            "asset": "truck",
            "links": {"origin": "depot", "destination": "depot"},
            "properties": {"distance": {"dtype": "number", "unit": "km"}, "driver": {}, "stops": {"dtype": "integer"}},
        }
    },
}


@dataclass
class FakeFrame:
    """The part of a ledger's frame that harmonise reads."""

    rows_: pa.RecordBatch
    record_type: str | None
    kind: str = "records"
    first: int = 0
    units: dict = field(default_factory=dict)
    numbers: np.ndarray | None = None

    @property
    def rows(self):
        return self.rows_.num_rows

    def batch(self):
        return self.rows_

    def ordinals(self):
        return np.arange(self.first, self.first + self.rows, dtype=np.int64)

    def row_numbers(self):
        return self.numbers


class Kit:
    """Short names for tests."""

    def __init__(self):
        self.model = TwinModel.model_validate(MODEL)

    def context(self, **properties):
        return Context(self.model, properties)

    def frame(self, columns, *, table="t", units=None, first=0, numbers=None):
        arrays = [column if isinstance(column, pa.Array) else pa.array(column) for column in columns.values()]
        batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
        return FakeFrame(batch, table, units=units or {}, first=first, numbers=numbers)

    def observations(self, columns, *, first=0):
        return FakeFrame(pa.RecordBatch.from_pydict(columns), None, "observations", first)

    def table(self, **rule):
        return Mapping.model_validate({"source": "s", "tables": [{"table": "t", **rule}]})

    def stream(self, **rule):
        return Mapping.model_validate({"source": "s", "stream": rule})

    def wide(self, columns, *, time=None, **rule):
        rule = {
            "asset": {"type": "cold_room", "id": "A"},
            "time": {"column": "time", "zone": "UTC"} | (time or {}),
        } | rule
        return self.table(columns=columns, **rule)

    def run(self, columns, mapping, *, context=None, **how):
        return harmonise(self.frame(columns, **how), mapping, context or self.context())


@pytest.fixture(scope="session")
def kit():
    return Kit()


def rows(claims):
    """Claims as sortable tuples."""
    return sorted(
        (claims.series[c], claims.tags[t], int(e), float(v), int(o))
        for c, t, e, v, o in zip(claims.code, claims.tag, claims.event_time, claims.value, claims.ordinal, strict=True)
    )


@pytest.fixture(scope="session")
def as_rows():
    return rows
