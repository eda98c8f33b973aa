"""Modules loaded on first use: what that does to the collection of garbage."""

import gc
import sys

import pytest

from twinlab._lazy import attach, load_module


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return ``make(name, text)``: a module that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        made.append(name)
        return name

    yield make
    for name in made:
        sys.modules.pop(name, None)


def test_nothing_is_collected_while_a_module_is_loaded(module):
    text = "import gc\nwhile_loaded = gc.isenabled()\nmany = [[] for _ in range(20_000)]\n"
    collections = []
    gc.callbacks.append(lambda phase, info: collections.append(phase))
    try:
        made = load_module(module("loaded_lazily", text))
    finally:
        gc.callbacks.pop()
    assert (made.while_loaded, gc.isenabled(), collections) == (False, True, [])
    # What was loaded is old already: the next collection of the young doesn't look at it.
    assert not any(one is made.many[0] for one in gc.get_objects(generation=0))


def test_a_collector_that_is_off_stays_off_and_frozen_objects_stay_frozen(module):
    gc.disable()
    try:
        load_module(module("loaded_without", ""))
        assert not gc.isenabled()
    finally:
        gc.enable()
    gc.freeze()
    try:
        load_module(module("loaded_frozen", ""))
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_a_module_that_fails_leaves_the_collector_on(module):
    with pytest.raises(ZeroDivisionError):
        load_module(module("loaded_wrong", "1 / 0"))
    assert gc.isenabled()


def test_an_unknown_name_is_an_attribute_error():
    load, listing = attach("twinlab", {"errors": ":errors"})
    assert listing() == ["errors"] and load("errors") is sys.modules["twinlab.errors"]
    with pytest.raises(AttributeError, match="nothing"):
        load("nothing")
