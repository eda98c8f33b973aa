"""``twinlab learn``: paths, a text, an answer."""

import pytest

from twinlab.cli import main


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path_factory.mktemp("config")))


def test_paths_a_role_and_an_exercise_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn"]) == main(["learn", "security-officer"]) == main(["learn", "security-officer.refused"]) == 0
    out = capsys.readouterr().out
    assert "Learning paths:" in out
    assert "[ ] security-officer.refused" in out
    assert '- Replace `"login refused"` with `"access refused"`.' in out


def test_answers_are_checked_with_an_exit_code_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "security-officer.who-signs", "--answer", "operator-2", "operator-1"]) == 0
    assert main(["learn", "security-officer.who-signs", "--answer", "operator-1"]) == 1
    out = capsys.readouterr().out
    assert out.count("Right: ") == 1
    assert "Not yet: 1 of your 1 belong there, some are missing." in out
    assert main(["learn", "security-officer"]) == 0
    assert "[x] security-officer.who-signs" in capsys.readouterr().out


def test_what_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "steward.wrong-unitt"]) == 1
    assert main(["learn", "steward", "--answer", "1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "did you mean 'steward.wrong-unit'" in lines[0]
