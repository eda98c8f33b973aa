"""The nodes of both trees."""

import dataclasses
from typing import get_args

import pytest

from twinlab.model.expressions import bound, syntax


@pytest.mark.parametrize("node", [*get_args(bound.Value), *get_args(bound.Condition)])
def test_a_bound_node_is_frozen_and_can_be_a_key(node: type) -> None:
    fields = [each.name for each in dataclasses.fields(node)]
    made = node(*fields)
    assert {made: 1}[node(*fields)] == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, fields[0], "other")


@pytest.mark.parametrize("node", get_args(syntax.Node))
def test_a_node_begins_with_its_columns(node: type) -> None:
    assert dataclasses.fields(node)[0].name == "at"
