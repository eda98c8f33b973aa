"""Findings and their table."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError
from twinlab.quality import Finding, findings_frame

COLUMNS = ["kind", "source", "tag", "asset", "signal", "since", "until", "confidence", "evidence", "fix"]


def test_the_table_has_one_row_a_finding_in_their_order() -> None:
    first = Finding("unit", asset="B2", signal="temperature", since=np.datetime64("2026-02-01"), confidence=0.9)
    second = Finding(
        "drift", "fridges", "Temp", "A1", "temperature", None, np.datetime64("2026-03-01T06:00"), 0.5, "x", "y"
    )
    frame = findings_frame(one for one in (first, second))
    assert list(frame.columns) == COLUMNS
    assert frame["asset"].tolist() == ["B2", "A1"]
    assert frame["since"].tolist() == [pd.Timestamp("2026-02-01"), pd.NaT]
    assert frame["until"].tolist() == [pd.NaT, pd.Timestamp("2026-03-01T06:00")]
    assert frame.loc[1].drop(["since", "until"]).tolist() == [
        "drift",
        "fridges",
        "Temp",
        "A1",
        "temperature",
        0.5,
        "x",
        "y",
    ]


def test_an_empty_table_has_the_same_columns_and_types() -> None:
    full, empty = findings_frame([Finding("unit", confidence=0.5)]), findings_frame([])
    assert list(empty.columns) == COLUMNS
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert str(empty["since"].dtype) == "datetime64[ns]"
    assert empty["confidence"].dtype == np.float64
    assert len(pd.concat([empty, full], ignore_index=True)) == 1


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(SchemaError, match=r"expected a confidence in 0..1.*'unit' of B2 temperature"):
        Finding("unit", asset="B2", signal="temperature", confidence=confidence)


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected since < until"):
        Finding("unit", since=np.datetime64("2026-02-01"), until=np.datetime64("2026-02-01"), confidence=0.5)
