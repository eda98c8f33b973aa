"""A twin answers questions in words."""

from pathlib import Path

import pytest

import twinlab as tl
from twinlab.cli import main


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ask")
    (folder / "fridge.csv").write_text(
        "time,temperature (degC)\n"
        + "".join(f"2026-03-01T00:{minute:02d}Z,{4 + minute / 10}\n" for minute in range(60))
    )
    twin = tl.create(folder / "pilot", files=[folder / "fridge.csv"])
    twin.ingest(folder / "fridge.csv")
    return folder / "pilot"


def test_an_answer_says_what_its_number_rests_on(pilot: Path) -> None:
    answer = tl.open(pilot).ask("highest temperature of fridge")

    assert (answer.value, answer.unit) == (9.9, "degC")
    assert answer.evidence is not None
    assert answer.evidence.rows == 60
    assert answer.why().rows["written"].tolist() == ["9.9"]


def test_the_command_line_answers_and_fails_without_an_answer(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", str(pilot), "average temperature of fridge", "--code"]) == 0
    said = capsys.readouterr().out
    assert "6.95 degC" in said
    assert "twin.ask(Plan" in said
    assert main(["ask", str(pilot), "how green is the fridge"]) == 1
    assert "“green”" in capsys.readouterr().out
