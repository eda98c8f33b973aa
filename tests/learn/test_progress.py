"""Progress: a file of the reader, off by one line; tables of paths and exercises."""

import json
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.learn.checking import Verdict
from twinlab.learn.comparing import Slip, Solution, first_fault
from twinlab.learn.progress import note, progress_file, solved


def test_solved_exercises_are_noted_once_with_the_number_of_tries(config: Path) -> None:
    note("dispatcher.late-truck", right=False)
    note("dispatcher.late-truck", right=True)
    first = solved()["dispatcher.late-truck"]
    note("dispatcher.late-truck", right=True)
    assert solved() == {"dispatcher.late-truck": first}
    assert json.loads(progress_file().read_text())["exercises"]["dispatcher.late-truck"]["tries"] == 3
    assert progress_file().parent == config
    assert tl.learn.progress_table().loc["dispatcher.late-truck", "solved"] == first


def test_one_line_turns_progress_off_and_removes_it() -> None:
    note("dispatcher.late-truck", right=True)
    tl.learn.remember(False)
    note("dispatcher.late-parcels", right=True)
    assert solved() == {}
    tl.learn.remember()
    note("dispatcher.late-parcels", right=True)
    assert list(solved()) == ["dispatcher.late-parcels"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"remember": true, "exercises": {"a": 1}}'])
def test_a_damaged_file_is_a_new_one(text: str) -> None:
    progress_file().parent.mkdir(parents=True)
    progress_file().write_text(text)
    assert solved() == {}
    note("dispatcher.late-truck", right=True)
    assert list(solved()) == ["dispatcher.late-truck"]


def test_tables_name_every_role_and_exercise_in_text_and_html() -> None:
    note("planner.on-time", right=True)
    paths = tl.learn.paths()
    for role in paths:
        assert role.role in repr(paths)
        assert role.about.split("'")[0] in paths._repr_html_()
        path = tl.learn.start(role.title)
        for one in path:
            assert one.name in repr(path)
            assert one.name in path._repr_html_()
    assert "[x] planner.on-time" in repr(tl.learn.start("planner"))
    assert "<td>✓</td>" in tl.learn.start("planner")._repr_html_()


def test_unknown_names_get_the_nearest_one() -> None:
    with pytest.raises(tl.UnknownTermError, match="did you mean 'planner'"):
        tl.learn.start("planer")
    with pytest.raises(tl.UnknownTermError, match="did you mean 'planner.on-time'"):
        tl.learn.check("planner.ontime", 1)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (50.0, "Expected"), ("fast", "Expected a number, got 'fast'"), (True, "Expected a number"), (None, "No answer came"),
        (36, "the right value in km/h"), (7, "look at the unit"), (5, "Look."),
    ],
)  # fmt: skip
def test_numbers_are_compared_with_what_is_right_known_mistakes_and_other_units(answer: object, hint: str) -> None:
    solution = Solution(10.0, "Look.", (Slip(7, "look at the unit"),), tolerance=0.05, unit="m/s")
    found = first_fault(solution, answer)
    assert found.startswith("Look.") if answer == 50.0 else hint in found
    assert first_fault(solution, 10.04) == first_fault(solution, "10") == ""


def test_several_names_are_counted_without_naming_any() -> None:
    solution = Solution(frozenset({"R01", "R02"}), "Look again.")
    assert first_fault(solution, ["cold_room/R02", "r01"]) == first_fault(solution, "R01, R02") == ""
    assert first_fault(solution, ["R01", "R03"]) == "1 of your 2 belong there, some are missing. Look again."
    assert first_fault(solution, 3) == "Expected several names, got 3."


def test_a_verdict_is_true_or_false_and_escapes_what_it_shows() -> None:
    assert Verdict("a.b", right=True, text="done")
    wrong = Verdict("a.b", right=False, text="<b>look</b>")
    assert not wrong
    assert repr(wrong) == "Not yet: <b>look</b>"
    assert "&lt;b&gt;look" in wrong._repr_html_()
