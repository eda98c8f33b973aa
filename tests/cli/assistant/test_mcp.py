"""``twinlab mcp``: wrong options end with one line; without the SDK it says what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from twinlab.cli import main


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--users", "users.json"], "--users, --cert and --key with --http only"),
        (["--http", "nowhere"], "expected HOST:PORT or PORT"),
        (["--seconds", "0"], "--seconds"),
    ],
)
def test_wrong_options_are_explained(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mcp", str(tmp_path), *options]) in (1, 2)
    assert said in capsys.readouterr().err


def test_without_the_sdk_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    assert main(["mcp", str(tmp_path)]) == 1
    assert 'pip install "twinlab-kit[mcp]"' in capsys.readouterr().err
