"""Registries: names in order, and packages that can't be loaded or take a name that exists."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model import registry as module
from twinlab.model.load import json_schema, write_schemas
from twinlab.model.registry import Registry, registry_of


def _entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "twinlab.examples")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """Entry points that a registry finds; a test appends to them."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(module, "entry_points", lambda group: [one for one in found if one.group == group])
    return found


def _registry() -> Registry[object]:
    return Registry(
        "twinlab.examples",
        kind="example",
        built_in={"root": "math:sqrt"},
        check=lambda name, found: "" if callable(found) else "expected a function",
    )


def test_built_in_entries_come_first_then_those_of_packages_by_name(installed: list[EntryPoint]) -> None:
    installed += [_entry("sine", "math:sin"), _entry("cosine", "math:cos")]
    registry = _registry()
    assert registry.names() == ["root", "cosine", "sine"]
    assert (registry.built_in(), registry.added()) == (["root"], ["cosine", "sine"])
    assert registry.get("sine")(0.0) == 0.0  # type: ignore[operator]
    assert "sine" in registry
    with pytest.raises(UnknownTermError, match="expected a known example, got 'sinus'; did you mean 'sine'"):
        registry.get("sinus")


def test_new_packages_are_found_after_a_refresh(installed: list[EntryPoint]) -> None:
    registry = _registry()
    assert registry.added() == []
    installed.append(_entry("sine", "math:sin"))
    assert registry.added() == []
    registry.refresh()
    assert registry.added() == ["sine"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module:X", "'odd' of a package can't be imported from 'no_such_module:X': ModuleNotFoundError"),
        ("math:no_such_name", "can't be imported from 'math:no_such_name': AttributeError"),
        ("math:pi", "doesn't fit: expected a function"),
    ],
)
def test_an_entry_that_cannot_be_used_is_explained_and_left_out(
    installed: list[EntryPoint], value: str, message: str
) -> None:
    installed += [_entry("odd", value), _entry("sine", "math:sin")]
    registry = _registry()
    with pytest.raises(SchemaError, match=message):
        registry.get("odd")
    with pytest.warns(UserWarning, match=message):
        assert len(list(registry.usable())) == 1


@pytest.mark.parametrize("name", ["root", "sine"])
def test_a_name_that_exists_is_refused_and_the_built_in_entries_stay_usable(
    installed: list[EntryPoint], name: str
) -> None:
    installed += [_entry("sine", "math:sin"), _entry(name, "math:tan")]
    registry = _registry()
    with pytest.raises(SchemaError, match=f"adds the example '{name}', a name that"):
        registry.names()
    with pytest.warns(UserWarning, match="give it another name"):
        assert list(registry.usable()) == []
    assert registry.get("root")(9.0) == 3.0  # type: ignore[operator]


def test_the_same_entry_found_twice_counts_once(installed: list[EntryPoint]) -> None:
    # A package on two folders of the path.
    installed += [_entry("sine", "math:sin"), _entry("sine", "math:sin")]
    assert _registry().added() == ["sine"]


def test_every_group_has_its_registry() -> None:
    assert registry_of("twinlab.models").group == "twinlab.models"
    for group in (
        "twinlab.changes",
        "twinlab.channels",
        "twinlab.intrusions",
        "twinlab.live",
        "twinlab.model_formats",
        "twinlab.pages",
        "twinlab.quality",
        "twinlab.rules",
        "twinlab.sources",
    ):
        registry = registry_of(group)
        assert registry.group == group
        assert registry.built_in()
        for name in registry.built_in():
            registry.get(name)
    with pytest.raises(UnknownTermError, match="did you mean 'twinlab.rules'"):
        registry_of("twinlab.rule")


def test_schemas_are_written_without_a_broken_package(
    monkeypatch: pytest.MonkeyPatch, installed: list[EntryPoint], tmp_path: Path
) -> None:
    installed.append(EntryPoint("odd", "no_such_module:X", "twinlab.quality"))
    for group in ("twinlab.quality", "twinlab.rules"):
        monkeypatch.setattr(registry_of(group), "_added", None)
    with pytest.warns(UserWarning, match="the quality test 'odd' of a package can't be imported"):
        paths = write_schemas(tmp_path)
    assert '"flat_line"' in paths[0].read_text(encoding="utf-8")
    with pytest.warns(UserWarning, match="'odd'"):
        assert "odd" not in json_schema("model")["$defs"]["Signal"]["properties"]["tests"]["properties"]
