"""Notes on exceptions: durable, by several processes, each state kept."""

import os
import subprocess
import sys

import pytest

import twinlab as tl
from twinlab.errors import SchemaError
from twinlab.testing import FakeTwin


@pytest.fixture
def twin(tmp_path):
    (tmp_path / "words.yaml").write_text("twin: pumps\n")
    return tl.create(tmp_path / "twin", model=tmp_path / "words.yaml")


def said(twin, **options):
    return twin.notes(**options)[["key", "note", "acknowledged", "author"]].to_numpy().tolist()


@pytest.mark.parametrize("kind", ["kept", "fake"])
def test_what_is_left_out_stays_as_it_was_and_every_state_is_kept(twin, kind):
    twin = twin if kind == "kept" else FakeTwin(twin.model)
    assert twin.notes().empty
    twin.annotate("late/P7", note=" called ", author="dora", time="2026-01-01T10:00+01:00")
    twin.annotate("warm/R1", acknowledged=True, author="dora")
    twin.annotate("late/P7", acknowledged=True, author="emil")
    twin.annotate("late/P7", note="", author="emil")
    assert said(twin) == [["warm/R1", "", True, "dora"], ["late/P7", "", True, "emil"]]
    late = [row[1:] for row in said(twin, history=True) if row[0] == "late/P7"]
    assert late == [["called", False, "dora"], ["called", True, "emil"], ["", True, "emil"]]
    assert str(twin.notes(history=True)["time"][0]) == "2026-01-01 09:00:00"


def test_notes_are_there_when_the_twin_is_opened_again_and_cost_nothing_twice(twin):
    twin.annotate("late/P7", note="called", author="dora")
    again = tl.open(twin.folder)
    assert said(again) == [["late/P7", "called", False, "dora"]]
    twin.annotate("late/P8", note="äöü\n=1+1", author="dora")
    assert said(again)[1] == ["late/P8", "äöü\n=1+1", False, "dora"]


def test_a_reader_who_changes_his_table_changes_nobody_elses(twin):
    twin.annotate("late/P7", note="called", author="dora")
    mine = twin.notes()
    mine.loc[0, "note"] = "mine"
    assert twin.notes()["note"].tolist() == ["called"]


def test_several_processes_write_at_once_and_none_is_lost(twin):
    program = (
        "import sys, twinlab as tl\n"
        "twin = tl.open(sys.argv[1])\n"
        "for k in range(8):\n"
        "    twin.annotate(f'late/{sys.argv[2]}-{k}', note=str(k), author=sys.argv[2])\n"
    )
    command = [sys.executable, "-c", program, str(twin.folder)]
    running = [subprocess.Popen([*command, name], env={**os.environ}) for name in ("a", "b")]
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    assert len(twin.notes()) == 16
    for name in ("a", "b"):
        assert [row[1] for row in said(twin) if row[3] == name] == [str(k) for k in range(8)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": "", "note": "a", "author": "d"}, "expected the key"),
        ({"key": "k", "note": "a", "author": " "}, "who writes the note"),
        ({"key": "k", "author": "d"}, "got neither"),
        ({"key": "k", "note": "x" * 10_001, "author": "d"}, "at most 10,000 characters"),
        ({"key": "k", "acknowledged": "yes", "author": "d"}, "True, False or None"),
        ({"key": "k", "note": "a", "author": "d", "time": "soon"}, "expected an instant"),
    ],
)
def test_a_note_that_says_nothing_or_too_much_is_refused(twin, wrong, words):
    with pytest.raises(SchemaError, match=words):
        twin.annotate(**wrong)
    assert twin.notes().empty
