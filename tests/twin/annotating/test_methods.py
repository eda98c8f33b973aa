"""Annotations of a twin: on spans, cells, events and exceptions; beside the values, and through rebuilds and revisions."""

import numpy as np
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError

SPAN = {"asset": "room/3", "signal": "temperature"}


@pytest.fixture
def twin(cold_rooms):
    return cold_rooms("1", "3", value=lambda hour: 9 if hour in (5, 6) else 5)


def codes(twin, asset="3", **options):
    data = twin.history("room", annotated=True, **options)
    return data.temperature_annotation.sel(asset=asset).values.tolist()


def test_rejected_spans_can_be_left_out_and_no_value_or_flag_changes(twin):
    before = twin.history("room").compute()
    twin.annotate(**SPAN, start="2026-01-05T01:00", stop="2026-01-05T03:00", verdict="reject", note="sun", author="ann")
    twin.annotate(**SPAN, start="2026-01-05T05:20", verdict="accept", author="ann")
    data = twin.history("room", annotated=True, calibrated=True)
    mask = data.temperature_annotation
    assert mask.chunks is not None
    assert mask.dtype == np.uint8
    assert mask.sel(asset="3").values[:7].tolist() == [0, 3, 3, 0, 0, 2, 0]
    assert not mask.sel(asset="1").values.any()
    assert not data.door_annotation.values.any()
    assert mask.attrs["flag_meanings"] == "none comment accepted rejected"
    assert mask.attrs["flag_values"].tolist() == [0, 1, 2, 3]
    assert data.temperature.attrs["ancillary_variables"] == "temperature_qc temperature_annotation"
    kept = data.temperature.where(mask != 3)
    assert int(kept.isnull().sum()) == 2
    assert twin.history("room").compute().identical(before)
    assert codes(twin, start="2026-01-05T02:00", stop="2026-01-05T04:00", assets=["3"]) == [3, 0]
    # Only annotations of exceptions and events need a comparison when a revision is promoted.
    assert twin.moved_annotations(lambda: pytest.fail("compared"), author="ann", cause="rev") == []


def test_annotations_survive_rebuilds_and_later_rows_and_list_what_is_asked_for(twin, tmp_path):
    twin.annotate(**SPAN, start="2026-01-05T01:00", stop="2026-01-05T03:00", verdict="reject", author="ann")
    twin.annotate(event=("visit", "V7"), note="who?", author="bob")
    key = tl.events.exceptions(twin, at="2026-01-05T06:30")["key"][0]
    twin.annotate(key, verdict="accept", author="bob", time="2026-01-06")
    twin.rebuild()
    (tmp_path / "log2.csv").write_text("time,room,t\n2026-01-05 02:00,3,4\n")
    twin.ingest(tmp_path / "log2.csv")
    assert codes(twin)[:4] == [0, 3, 3, 0]
    again = tl.open(twin.folder)
    assert codes(again)[:4] == [0, 3, 3, 0]
    table = again.annotations()
    assert table["kind"].tolist() == ["span", "event", "exception"]
    assert table["asset"].tolist() == ["room/3", "", f"room/{key.split('/')[1]}"]
    assert str(table["start"][2]) == "2026-01-05 05:00:00"
    assert again.annotations(kind="event")["event_id"].tolist() == ["V7"]
    assert again.annotations(asset="room/3", signal="temperature", start="2026-01-05T02:30").shape[0] == 1
    assert again.annotations(signal="temperature", start="2026-01-05T03:00").empty
    twin.annotate(**SPAN, start="2026-01-05T01:00", stop="2026-01-05T03:00", verdict="", author="bob")
    assert codes(twin)[:4] == [0, 0, 0, 0]
    assert twin.annotations(kind="span", history=True)["author"].tolist() == ["ann", "bob"]
    assert twin.notes()["key"].tolist() == [key]


def test_annotations_follow_what_a_revision_moves_and_come_back_when_it_is_taken_back(twin):
    found = tl.events.exceptions(twin, at="2026-01-05T06:30").sort_values("asset", ignore_index=True)
    for key in found["key"]:
        twin.annotate(key, note="door was open", author="ann")
    twin.annotate(**SPAN, start="2026-01-05T01:00", verdict="reject", author="ann")
    moved = [key.replace("T05", "T06") for key in found["key"]]
    # The clocks of the loggers are an hour behind.
    mapping = (twin.folder / "mapping" / "log.yaml").read_text()
    rev = twin.remap("log", mapping.replace("zone: UTC", "zone: '-01:00'"), author="eve", reason="clocks")
    assert twin.annotations()["status"].tolist() == ["kept"] * 3
    rev.promote(author="eve", reason="clocks")
    columns = ["key", "note", "author", "status", "key_before"]
    for one in (twin, tl.open(twin.folder)):
        assert one.annotations(kind="exception")[columns].to_numpy().tolist() == [
            [now, "door was open", "eve", "moved", before] for now, before in zip(moved, found["key"], strict=True)
        ]
        assert set(one.notes()["key"]) == set(moved)
        assert codes(one, start="2026-01-05T00:00")[:3] == [0, 3, 0]
    twin.rollback(author="bob")
    assert twin.annotations(kind="exception")["key"].tolist() == found["key"].tolist()
    versions = twin.annotations(kind="exception", history=True)
    assert versions["author"].tolist() == ["ann", "ann", "eve", "eve", "bob", "bob"]


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({}, SchemaError, "expected one target.*got none"),
        ({"key": "a", "asset": "room/3"}, SchemaError, "got more than one"),
        ({"asset": "room/3", "start": "2026-01-05"}, SchemaError, "it lacks signal"),
        ({**SPAN, "asset": "room/33", "start": "2026-01-05"}, UnknownTermError, "expected a known asset of type 'room', got '33'"),
        ({**SPAN, "signal": "temp", "start": "2026-01-05"}, UnknownTermError, "signal of 'room', got 'temp'"),
        ({**SPAN, "start": "2026-01-05", "stop": "2026-01-04"}, SchemaError, "expected start before stop"),
        ({**SPAN, "start": "2026-01-05", "acknowledged": True}, SchemaError, "expected acknowledged of an exception"),
        ({"event": ("vist", "V7")}, UnknownTermError, "expected a known event type, got 'vist'; did you mean 'visit'"),
        ({"event": "V7"}, SchemaError, r"expected an event as \(type, event_id\)"),
    ],
)  # fmt: skip
def test_a_target_that_is_not_there_is_refused_with_the_nearest(twin, wrong, error, words):
    with pytest.raises(error, match=words):
        twin.annotate(**{"author": "ann", "note": "n", **wrong})
    assert twin.annotations().empty


def test_windows_have_no_annotation_and_a_signal_may_not_have_its_name(twin):
    with pytest.raises(SchemaError, match="a window has no annotation; leave out `step`"):
        twin.history("room", annotated=True, step="1d")
    path = twin.folder / "twin.yaml"
    path.write_text(path.read_text().replace("door:", "temperature_annotation:"))
    other = tl.open(twin.folder)
    other.rebuild()
    with pytest.raises(SchemaError, match="'temperature_annotation' beside 'temperature'"):
        other.history("room", annotated=True)
