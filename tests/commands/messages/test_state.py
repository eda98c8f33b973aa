"""The hash of a state is the same for who proposes and who acts."""

from __future__ import annotations

import hashlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.commands.messages import state_hash
from twinlab.errors import CommandRejectedError


def test_the_bytes_are_as_documented() -> None:
    text = '{"parameter":"max_speed","target":"forklift/F07","unit":"km/h","value":8.0,"watched":{"mode":1.0}}'
    wanted = hashlib.sha256(text.encode()).hexdigest()
    assert state_hash("forklift/F07", "max_speed", 8, "km/h", watched={"mode": 1}) == wanted


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_another_value_is_another_state_and_zero_has_no_sign(one: float, other: float) -> None:
    same = state_hash("room/A", "set_point", one, "degC") == state_hash("room/A", "set_point", other, "degC")
    assert same == (one == other)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_state_that_is_not_known_has_no_hash(value: float) -> None:
    with pytest.raises(CommandRejectedError, match="finite number for door"):
        state_hash("room/A", "set_point", 4.0, "degC", watched={"door": value})
