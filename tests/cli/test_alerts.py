"""Alerts are listed, raised, acknowledged, snoozed and replayed from the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import SourceError

MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals: {temperature: {unit: degC, resolution: 0.1, cadence: 10min}}
rules:
  warm: {title: Room too warm, on: room, when: temperature > 8 degC, lasting: 10min, severity: high}
channels:
  team: {file: {path: sent.jsonl}}
alerts:
  warm_rooms: {rule: warm, channels: [team]}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature}}
"""


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    """Folder of a twin whose room A has been too warm for the last half hour."""
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "feed.yaml").write_text(MAPPING)
    tl.create(tmp_path / "pilot", model=tmp_path / "twin.yaml", mappings=[tmp_path / "feed.yaml"])
    rows(tmp_path / "pilot", 4, 9, 9, 9)
    return tmp_path / "pilot"


def rows(folder: Path, *temperatures: float, later: str = "0min") -> None:
    """Append rows of room A, the last one of the present."""
    last = pd.Timestamp.now("UTC").floor("10min") + pd.Timedelta(later)
    times = pd.date_range(end=last, periods=len(temperatures), freq="10min")
    with tl.open(folder).writer("feed") as writer:
        writer.append(pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M"), "room": "A", "temp": temperatures}))


def said(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """Run the command and return what it prints."""
    assert main([str(one) for one in arguments]) == code
    done = capsys.readouterr()
    return done.out + done.err


def test_an_alert_is_raised_listed_acknowledged_and_snoozed(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no active alerts" in said(capsys, "alerts", pilot)
    assert said(capsys, "alerts", pilot, "--run") == "1 raised, 0 over, 0 withdrawn, 1 sent\n"
    assert json.loads((pilot / "sent.jsonl").read_text())["asset"] == "A"
    listed = said(capsys, "alerts", pilot).splitlines()
    assert listed[0].startswith("high  Room too warm  A  ")
    name = listed[2].strip()
    assert tl.open(pilot).alerts()["id"].tolist() == [name]

    said(capsys, "alerts", pilot, "--acknowledge", name, "--author", "dora", "--note", "on my way")
    assert "acknowledged" in said(capsys, "alerts", pilot)
    assert "2199-01-01 06:00 UTC" in said(
        capsys, "alerts", pilot, "--snooze", name, "--until", "2199-01-01T06:00", "--author", "dora"
    )
    assert "snoozed until 2199-01-01 06:00" in said(capsys, "alerts", pilot)
    assert "expected an instant" in said(capsys, "alerts", pilot, "--snooze", name, "--until", "soon", code=1)
    assert name in said(capsys, "alerts", pilot, "--acknowledge", f"{name}x", code=1)

    text = said(capsys, "why", pilot, name)
    assert "rules.warm" in text
    assert "rows feed" in text


def test_rounds_print_a_line_only_if_something_happened_and_outlast_a_source(
    pilot: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    run = tl.Twin.run_alerts

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            rows(pilot, 4, 4, later="20min")
        if len(slept) == 6:
            raise KeyboardInterrupt

    def failing(twin: tl.Twin) -> object:
        if len(slept) in (2, 3):
            msg = "the disk is full;\nremove something"
            raise SourceError(msg)
        # Of the time at which the rows are.
        return run(twin, now=pd.Timestamp.now("UTC") + pd.Timedelta("40min"))

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(tl.Twin, "run_alerts", failing)
    lines = said(capsys, "alerts", pilot, "--every", "1min", code=130).split("\n")
    told = [one.partition(" UTC ")[2] for one in lines if " UTC " in one]
    assert sorted(told) == ["1 over, 1 sent", "1 raised, 1 sent", "not looked: the disk is full; remove something"]
    assert all(0 < one <= 60 for one in slept)


def test_a_message_that_cannot_be_sent_is_an_exit_code_and_one_line(
    pilot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pilot / "twin.yaml"
    file.write_text(file.read_text().replace("sent.jsonl", "none/sent.jsonl"))
    assert "not sent: channel 'team'" in said(capsys, "alerts", pilot, "--run", code=1)
    assert "not sent: team" in said(capsys, "alerts", pilot)


def test_a_rule_is_replayed(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = pd.Timestamp.now("UTC")
    span = ("--start", now - pd.Timedelta("1h"), "--stop", now + pd.Timedelta("5min"), "--every", "5min")
    assert "Room too warm  A" in said(capsys, "alerts", pilot, "--replay", "warm", *span)
    assert "no active alerts" in said(capsys, "alerts", pilot)
    early = ("--start", "2020-01-01", "--stop", "2020-01-02")
    assert "would have raised nothing" in said(capsys, "alerts", pilot, "--replay", "warm", *early)
    assert "did you mean 'warm'" in said(capsys, "alerts", pilot, "--replay", "wram", *early, code=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--snooze", "x"], "--snooze needs --until"),
        (["--replay", "warm", "--start", "2026-01-01"], "--replay needs --stop"),
        (["--run", "--acknowledge", "x"], "got --run and --acknowledge"),
        (["--run", "--note", "x"], "--note belongs to --acknowledge"),
        (["--until", "2026-01-01"], "--until belongs to --snooze"),
        (["--run", "--all"], "--all belongs to the list"),
    ],
)
def test_options_that_do_not_fit_are_wrong_usage(
    pilot: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert message in said(capsys, "alerts", pilot, *options, code=2)


def test_a_twin_without_alerts_says_what_to_add(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = pilot / "twin.yaml"
    file.write_text(file.read_text().partition("alerts:")[0])
    assert "no alerts in twin.yaml; add" in said(capsys, "alerts", pilot)
    assert "expected alerts in twin.yaml" in said(capsys, "alerts", pilot, "--every", "1min", code=1)
