"""Models by name, from the registry."""

import sys
import types
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from pydantic import ValidationError

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model import Options
from twinlab.simulate import ModelKind, from_callable, named_model
from twinlab.simulate.registry import MODELS


class DiceOptions(Options):
    sides: int = 6


def dice(options):
    return from_callable(
        lambda rng, edges, sides: {"eyes": rng.integers(1, sides + 1)},
        kpis={"eyes": "1"},
        name="dice",
        parameters={"sides": options.sides},
    )


@pytest.fixture
def added(monkeypatch):
    module = types.ModuleType("dice_kit")
    module.DICE = ModelKind("dice", "A die", dice, DiceOptions)
    module.WRONG = dice
    monkeypatch.setitem(sys.modules, "dice_kit", module)
    entries = {
        "dice": EntryPoint("dice", "dice_kit:DICE", "twinlab.models"),
        "other": EntryPoint("other", "dice_kit:DICE", "twinlab.models"),
        "wrong": EntryPoint("wrong", "dice_kit:WRONG", "twinlab.models"),
    }
    monkeypatch.setattr(MODELS, "_added", entries)
    monkeypatch.setattr(MODELS, "_loaded", {})


def test_a_package_s_model_is_had_by_its_name_with_its_options(added):
    model = named_model("dice", {"sides": 2})
    state = model.initial_state(start=np.datetime64("2026-01-01"))
    done = model.advance(state, until=np.datetime64("2026-01-02"), step=np.timedelta64(1, "D"))
    assert done.results["eyes"].item() in (1, 2)
    assert named_model("dice").content_hash() != model.content_hash()


def test_unknown_names_wrong_options_and_wrong_objects_are_errors(added):
    with pytest.raises(UnknownTermError, match="did you mean 'dice'"):
        named_model("dise")
    with pytest.raises(ValidationError, match="sidse"):
        named_model("dice", {"sidse": 3})
    with pytest.raises(SchemaError, match="to be called 'dice'"):
        named_model("other")
    with pytest.raises(SchemaError, match=r"expected a twinlab\.simulate\.ModelKind, got a function"):
        named_model("wrong")
