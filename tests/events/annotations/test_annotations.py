"""Annotations: what is said of each target, every version, and what becomes of them when their targets move."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.events import annotation, annotations_table, carried, notes_table
from twinlab.events.annotations import Annotation, Carried, event_target, span_target
from twinlab.events.annotations.codes import CODES, codes_of, spans_of_signal
from twinlab.events.annotations.records import as_payload, from_payload
from twinlab.events.annotations.tables import chosen, with_assets
from twinlab.history.revisions.table_changes import matched_changes
from twinlab.model import Rule

HOUR = 3600 * 10**9


def span(first, last, **said):
    return annotation(span_target("room/3", "temperature", first * HOUR, last * HOUR), **{"author": "ann", **said})


def changes(*rows):
    return pd.DataFrame(rows, columns=["change", "key", "key_before"])


def state(table, *columns):
    return table[list(columns)].to_numpy().tolist()


def test_each_target_has_its_verdict_and_note_and_what_is_left_out_stays():
    said = [
        span(0, 1, verdict="reject", note="sun"),
        annotation(event_target("flight", "F1"), verdict="accept", author="bob"),
        annotation("warm/3/1970-01-01T00:00:00", note="door", author="bob"),
        span(0, 1, note="sun on the sensor", author="bob"),
    ]
    table = annotations_table(said)
    assert state(table, "kind", "verdict", "note", "author") == [
        ["event", "accept", "", "bob"],
        ["exception", "", "door", "bob"],
        ["span", "reject", "sun on the sensor", "bob"],
    ]
    assert state(table[table["kind"] == "span"].astype(str), "asset", "signal", "start", "stop") == [
        ["room/3", "temperature", "1970-01-01", "1970-01-01 01:00:00"]
    ]
    assert annotations_table(said, history=True)["note"].tolist() == ["sun", "", "door", "sun on the sensor"]
    assert annotations_table([*said, span(0, 1, verdict="")]).iloc[-1]["verdict"] == ""
    assert notes_table(said)["note"].tolist() == ["door"]
    assert annotations_table([]).empty


def test_entries_of_earlier_versions_stay_readable_and_new_ones_read_back_equal():
    old = {"key": "a", "note": "seen", "acknowledged": None, "author": "ann", "time": 5}
    assert from_payload(old) == Annotation("a", "seen", None, "ann", 5)
    assert as_payload(from_payload(old)) == old
    for one in (span(0, 1, verdict="reject"), annotation(event_target("leg", "a/b"), note="ä", author="x")):
        assert from_payload(json.loads(json.dumps(as_payload(one)))) == one
    told = Carried.of(changes(["moved", "b", "a"], ["vanished", None, "c"]), author="ann", time=3, cause="rev")
    assert told.changes == (("moved", "b", "a"), ("vanished", "", "c"))
    assert Carried.from_payload(json.loads(json.dumps(told.as_payload()))) == told


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"verdict": "maybe"}, "expected the verdict 'accept', 'reject' or ''"),
        ({}, "got neither"),
        ({"note": "n", "author": ""}, "who writes the note"),
    ],
)
def test_what_says_nothing_or_another_verdict_is_refused(wrong, words):
    with pytest.raises(SchemaError, match=words):
        span(0, 1, **wrong)


def test_empty_spans_and_events_without_an_id_are_refused():
    with pytest.raises(SchemaError, match="expected start before stop"):
        span_target("room/3", "t", HOUR, HOUR)
    with pytest.raises(SchemaError, match="expected the id of an event"):
        event_target("flight", "")


def test_annotations_follow_what_moved_was_split_or_vanished():
    said = [annotation(key, note=key, author="ann") for key in "abcd"]
    found = carried(
        annotations_table([*said, annotation(event_target("leg", "a"), note="leg", author="ann")]),
        changes(
            ["moved", "A", "a"],
            ["split", "b1", "b"],
            ["split", "b2", "b"],
            ["vanished", None, "c"],
            ["appeared", "z", None],
        ),
    )
    assert state(found, "key", "note", "status", "key_before") == [
        ["A", "a", "moved", "a"],
        ["b1", "b", "split", "b"],
        ["b2", "b", "split", "b"],
        ["c", "c", "withdrawn", ""],
        ["d", "d", "kept", ""],
        ["leg/a", "leg", "kept", ""],
    ]


def test_a_key_that_stays_is_moved_with_its_key_and_events_are_told_apart_from_exceptions():
    table = annotations_table(
        [annotation(event_target("leg", "a"), note="leg", author="ann"), annotation("a", note="x", author="b")]
    )
    found = carried(table, changes(["moved", "a", "a"]), event_type="leg")
    assert state(found, "key", "status", "key_before") == [["leg/a", "moved", ""], ["a", "kept", ""]]
    found = carried(table, changes(["moved", "b", "a"]), event_type="leg")
    assert state(found, "key", "event_id", "key_before") == [["leg/b", "b", "leg/a"], ["a", "", ""]]
    assert carried(table, changes(["changed", "a", "a"]), event_type="leg").equals(table)


def test_a_revision_that_is_taken_back_brings_every_annotation_back():
    said = [annotation(key, verdict="reject", author="ann", time="2026-01-01") for key in "abc"]
    there = changes(["moved", "A", "a"], ["vanished", None, "b"])
    back = changes(["moved", "a", "A"], ["appeared", "b", None])
    told = [Carried.of(one, author="eve", time=k, cause="rev") for k, one in enumerate((there, back))]
    now = annotations_table([*said, told[0], annotation("A", note="later", author="bob")])
    assert state(now, "key", "verdict", "note", "author", "status") == [
        ["c", "reject", "", "ann", "kept"],
        ["b", "reject", "", "eve", "withdrawn"],
        ["A", "reject", "later", "bob", "moved"],
    ]
    after = annotations_table([*said, *told]).sort_values("key")
    assert state(after, "key", "verdict", "status") == [
        ["a", "reject", "moved"],
        ["b", "reject", "kept"],
        ["c", "reject", "kept"],
    ]
    assert len(annotations_table([*said, *told], history=True)) == 3 + 2 + 2
    assert set(notes_table([*said, told[0]])["key"]) == {"A", "b", "c"}


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), max_size=5, unique_by=lambda one: one[0])


def events_of(spans):
    start = pd.to_datetime([low * HOUR for low, _ in spans])
    stop = pd.to_datetime([(low + size) * HOUR for low, size in spans])
    keys = [f"warm/3/{low}" for low, _ in spans]
    return pd.DataFrame({"key": keys, "asset": ["3"] * len(spans), "since": start, "until": stop}).astype(
        {"key": "str", "asset": "str"}
    )


@given(SPANS, SPANS)
def test_no_annotation_is_lost_and_none_is_on_what_is_gone(old, new):
    before, after = events_of(old), events_of(new)
    table = annotations_table([annotation(key, note=key, author="ann") for key in before["key"]])
    found = carried(table, matched_changes(before, after, key="key", times=("since", "until")))
    assert set(found["note"]) == set(before["key"])
    for row in found.to_dict("records"):
        assert (row["key"] in set(after["key"])) == (row["status"] != "withdrawn")
    again = carried(table, matched_changes(before, before, key="key", times=("since", "until")))
    pd.testing.assert_frame_equal(again, table)


def test_a_table_is_chosen_by_kind_asset_signal_and_span():
    table = annotations_table(
        [span(0, 2, note="a"), span(4, 5, note="b"), annotation("warm/3/1970-01-01T01:00:00", note="c", author="x"),
         annotation("late/F9/earlier", note="d", author="x"), annotation("gone/3/1970-01-01", note="e", author="x")]
    )  # fmt: skip
    rules = {"warm": Rule(on="room", when="temperature > 8"), "late": Rule(on="leg", late="1h")}
    table = with_assets(table, rules, ["room"])
    hour = [pd.Timestamp(k * HOUR) for k in range(6)]
    assert chosen(table, asset="room/3")["note"].tolist() == ["a", "b", "c"]
    assert chosen(table, kind="exception")["event_id"].tolist() == ["", "F9", ""]
    assert chosen(table, signal="temperature", start=hour[2])["note"].tolist() == ["b"]
    assert chosen(table, start=hour[1], stop=hour[4])["note"].tolist() == ["a", "c"]
    assert chosen(table, stop=hour[1])["note"].tolist() == ["a"]
    with pytest.raises(SchemaError, match="one of exception, span, event, got 'spans'"):
        chosen(table, kind="spans")


def test_the_last_verdict_of_a_cell_counts_and_a_comment_does_not_cover_it():
    table = annotations_table(
        [span(0, 4, verdict="reject"), span(1, 2, verdict="accept"), span(0, 6, note="look"), span(5, 6, note="")]
    )
    found = spans_of_signal(table, "room", "temperature")
    codes = codes_of(np.arange(7) * HOUR, found)
    assert codes.tolist() == [3, 2, 3, 3, 1, 1, 0]
    assert codes.dtype == np.uint8
    assert list(CODES.values()) == [0, 1, 2, 3]
    assert spans_of_signal(table, "room", "humidity") == spans_of_signal(table, "roo", "temperature") == ()
