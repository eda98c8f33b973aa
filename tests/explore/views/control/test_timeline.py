"""Steps of a command as they are shown."""

from dataclasses import dataclass

import pytest

from twinlab.explore.views.control.timeline import timeline, timeline_html


@dataclass
class Step:
    name: str
    outcome: str
    said: str = ""
    seconds: float = 0.012


SELECT = [Step("select", "selected"), Step("select at the device", "selected")]


def states(*steps: Step, outcome: str = "") -> list[str]:
    return [one["state"] for one in timeline(steps, outcome=outcome)]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], ["waiting", "waiting", "waiting", "waiting"]),
        ([Step("select", "under way")], ["under way", "waiting", "waiting", "waiting"]),
        (SELECT[:1], ["under way", "waiting", "waiting", "waiting"]),
        ([*SELECT, Step("operate", "under way")], ["done", "done", "under way", "waiting"]),
        ([*SELECT, Step("operate", "done"), Step("read back", "under way")], ["done", "done", "done", "under way"]),
        ([*SELECT, Step("operate", "done"), Step("read back", "reported", "6 km/h")], ["done", "done", "done", "done"]),
    ],
)
def test_steps_follow_one_another(steps: list[Step], expected: list[str]) -> None:
    assert states(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "outcome", "expected"),
    [
        ([Step("select", "refused", "outside")], "refused", ["refused", "waiting", "waiting", "waiting"]),
        ([*SELECT, Step("operate", "unknown", "no answer")], "unknown", ["done", "unknown", "unknown", "waiting"]),
        ([*SELECT, Step("operate", "fail_safe")], "fail_safe", ["done", "fail-safe", "fail-safe", "waiting"]),
        (
            [*SELECT, Step("operate", "done"), Step("read back", "unknown", "away")],
            "done",
            ["done", "done", "done", "unknown"],
        ),
        (
            [*SELECT, Step("operate", "done"), Step("read back", "reported")],
            "fail_safe",
            ["done", "done", "done", "fail-safe"],
        ),
    ],
)
def test_what_went_wrong_is_where_it_went_wrong(steps: list[Step], outcome: str, expected: list[str]) -> None:
    assert states(*steps, outcome=outcome) == expected


def test_what_a_device_says_is_text() -> None:
    shown = timeline_html([Step("select", "refused", "<script>alert(1)</script>")])
    assert "<script>" not in shown
    assert "not reached" in shown
