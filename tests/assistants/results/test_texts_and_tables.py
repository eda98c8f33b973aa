"""Texts in which nothing is invisible, tables of bounded size, JSON without markup."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.assistants.limits import Limits
from twinlab.assistants.results.schemas import Result
from twinlab.assistants.results.tables import fitted, table_of, wire_text
from twinlab.assistants.results.texts import is_visible, matching_text, visible_text, without_paths

#: Any text, with what is invisible more often.
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from("\u202e\u200b\x00\x1b\x7f\x85\u2028\U000e0041<>&\\")), max_size=60
)


@given(TEXTS)
def test_what_is_shown_is_visible_and_leads_back(text: str) -> None:
    shown = visible_text(text)
    assert all(
        one == " " or unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for one in shown
    )
    assert visible_text(matching_text(shown, [text])) == shown


@given(st.recursive(st.one_of(TEXTS, st.integers(), st.booleans(), st.none()), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8))  # fmt: skip
def test_json_on_the_wire_reads_back_and_has_no_markup(data: object) -> None:
    text = wire_text(data)
    assert json.loads(text) == data
    assert not set(text) & set("<>&") and all(map(is_visible, text))


def test_cells_are_json_with_times_in_utc_and_units() -> None:
    frame = pd.DataFrame({
        "name": ["a\u202eb", None], "value": [np.nan, np.inf], "count": [2**60, 1], "when": pd.to_datetime(["2026-01-01", None]),
        "long": pd.to_timedelta(["90s", None]), "good": [True, False],
    })  # fmt: skip
    made = table_of(frame, units={"value": "degC"}, first=0, rows=10)
    assert made.rows == [
        ["a\\u{202e}b", None, str(2**60), "2026-01-01T00:00:00Z", 90.0, True],
        [None, "inf", 1, None, None, False],
    ]
    assert [(one.type, one.unit) for one in made.columns] == [
        ("text", ""), ("number", "degC"), ("number", ""), ("time", ""), ("number", "s"), ("boolean", ""),
    ]  # fmt: skip


@given(st.integers(0, 300), st.integers(0, 400), st.integers(1, 200))
def test_the_parts_of_a_table_are_the_table(rows: int, first: int, size: int) -> None:
    made = table_of(pd.DataFrame({"x": range(rows)}), units={}, first=first, rows=size)
    assert [row[0] for row in made.rows] == list(range(rows))[first : first + size]
    assert (made.total, made.first) == (rows, min(first, rows))


@pytest.mark.parametrize("limit", [600, 2_000, 10_000])
def test_a_result_fits_into_its_bytes_and_says_what_is_left(limit: int) -> None:
    frame = pd.DataFrame({"text": [f"{place} {'x' * 40}" for place in range(200)]})
    result = Result(says="all", table=table_of(frame, units={}, first=0, rows=200))
    small = fitted(result, Limits(bytes=limit))
    assert len(wire_text(small.model_dump(mode="json"))) <= limit
    assert small.cut and (small.table is None or "offset=" in small.cut[0])


def test_paths_are_their_last_part_and_names_stay() -> None:
    assert (
        without_paths("got /srv/a/b.csv:3 and C:\\data\\x.csv, not room/B2 at 3 km/h or trip/2013/1/1")
        == "got b.csv:3 and x.csv, not room/B2 at 3 km/h or trip/2013/1/1"
    )
