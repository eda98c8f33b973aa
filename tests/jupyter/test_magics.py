"""`%twin`, `%%find` and `%ask` in an IPython shell."""

from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, SourceError


def test_twin_opens_a_folder_and_names_it(shell, pilot_folder: Path) -> None:
    opened = shell.run_line_magic("twin", str(pilot_folder))
    assert isinstance(opened, tl.Twin)
    assert shell.user_ns["twin"] is opened
    other = shell.run_line_magic("twin", f"{pilot_folder} --as pilot")
    assert shell.user_ns["pilot"] is other is not opened
    # Without a path: the one that was opened last.
    assert shell.run_line_magic("twin", "") is other


def test_find_returns_the_events_of_the_calls_it_stands_for(shell, pilot_folder: Path) -> None:
    twin = shell.run_line_magic("twin", str(pilot_folder))
    on = next(iter(twin.model.asset_types))
    expected = twin.find("temperature > 8 degC", on=on, lasting="10min")
    assert len(expected) == 1
    text = shell.run_cell_magic("find", f"{on} --lasting 10min --as warm", "temperature > 8 degC\n")
    pd.testing.assert_frame_equal(text, expected)
    assert shell.user_ns["warm"] is text
    yaml = shell.run_cell_magic("find", "", f"when: temperature > 8 degC\non: {on}\nlasting: 10min\n")
    pd.testing.assert_frame_equal(yaml, expected)
    none = shell.run_cell_magic("find", f"{on} --stop 2026-03-01T04:00", "temperature > 8 degC")
    assert len(none) == 0


def test_ask_answers_over_one_line_or_several(shell, pilot_folder: Path) -> None:
    twin = shell.run_line_magic("twin", str(pilot_folder))
    question = "what was the highest temperature"
    expected = twin.ask(question)
    assert expected.answered
    for answer in (shell.run_line_magic("ask", question), shell.run_cell_magic("ask", "", question.replace(" ", "\n"))):
        assert str(answer) == str(expected)


def test_wrong_use_is_said_in_a_sentence(shell, pilot_folder: Path) -> None:
    from IPython.core.error import UsageError

    with pytest.raises(UsageError, match="open one first: %twin FOLDER"):
        shell.run_line_magic("ask", "how many rooms")
    with pytest.raises(UsageError, match="a path or --demo NAME"):
        shell.run_line_magic("twin", f"{pilot_folder} --demo nyc")
    with pytest.raises(UsageError, match="expected a name for a variable.*'my twin'"):
        shell.run_line_magic("twin", f"{pilot_folder} --as 'my twin'")
    with pytest.raises((SourceError, SchemaError), match="nowhere"):
        shell.run_line_magic("twin", "nowhere")
    assert "twin" not in shell.user_ns
    shell.run_line_magic("twin", str(pilot_folder))
    with pytest.raises(UsageError, match="expected a question"):
        shell.run_line_magic("ask", "")
