"""Natural order of ids."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from twinlab.history.read.datasets import natural_order


def by_parts(ids: list[str]) -> list[int]:
    def key(place: int) -> tuple[list[tuple[int, int, str]], str]:
        parts = re.split(r"(\d+)", ids[place])
        return [(1, int(p), "") if p.isdecimal() else (2, 0, p.casefold()) for p in parts if p], ids[place]

    return sorted(range(len(ids)), key=key)


@given(
    prefix=st.sampled_from(["", "T", "R1-", "a/", "7"]),
    rests=st.lists(st.text("0123456789", max_size=19) | st.text("0a²T", max_size=3), unique=True, max_size=12),
)
def test_ids_that_differ_by_one_number_are_in_the_order_of_all_others(prefix: str, rests: list[str]) -> None:
    ids = [prefix + rest for rest in rests]
    assert natural_order(ids) == by_parts(ids)
