"""Interlocks: true, false, or unknown, which doesn't allow anything."""

from __future__ import annotations

import math

import pytest

from twinlab.control.proposals.situation.conditions import truth_of
from twinlab.model import parse_model
from twinlab.model.commands.checks import present_condition

MODEL = parse_model(
    "{twin: x, asset_types: {lift: {properties: {most: {dtype: number, unit: m}, maker: {dtype: text}}, signals: {height: {unit: m, "
    "resolution: 0.1, cadence: 1min}, mode: {kind: state, states: {0: idle, 1: driving}, cadence: 1min}}}}}"
)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("height < 1 m", False), ("height < 300 cm", True), ("height < most", True), ("mode == driving", True), ("not mode == idle", True),
        ("maker == 'Linde'", True), ("height < 1 m and mode == idle", False), ("height < 1 m or mode == driving", True),
    ],
)  # fmt: skip
def test_conditions_of_present_values(text: str, truth: bool) -> None:
    condition = present_condition(text, "lift", MODEL)
    assert truth_of(condition, {"height": 2.4, "mode": 1.0}, {"most": 3.0, "maker": "Linde"}) is truth


def test_unknown_is_neither_and_a_false_part_decides() -> None:
    assert truth_of(present_condition("height < 1 m", "lift", MODEL), {"height": math.nan}, {}) is None
    assert truth_of(present_condition("height < 1 m and mode == idle", "lift", MODEL), {"mode": 1.0}, {}) is False
