"""Every public call ends in a result or in a TwinlabError, whatever the file or the mapping, and the twin stays whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import twinlab as tl
from tests.flow.hostile_inputs import INPUTS, write_input
from twinlab.cli import main

TIME = "2026-01-01T00:02"


def attempt(call: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """Return what a call returns, None after a TwinlabError; its message must be for a person."""
    try:
        return call(*given, **named)
    except tl.TwinlabError as error:
        message = str(error)
        assert len(message) > 10, (call, message)
        assert "Traceback" not in message, (call, message)
        return None


def read(twin: Any, *, signals: int = 2) -> None:
    """Make every reading call on a twin, or on one as of an instant."""
    for kind, spec in twin.model.asset_types.items():
        assets = attempt(twin.assets, kind)
        chosen = list(spec.signals)[:signals]
        for step in (None, "1h"):
            found = attempt(twin.history, kind, signals=chosen or None, step=step)
            attempt(lambda data: data.compute(), found) if found is not None else None
        for signal in chosen[:1]:
            attempt(twin.steps, kind, signal)
            for asset in [] if assets is None else assets.index[:1]:
                attempt(twin.observations, f"{kind}/{asset}", signal, start=TIME, all=True)
    for event in twin.model.event_types:
        attempt(twin.events, event)
        attempt(twin.events, event, start=TIME)
    for link in twin.model.relationships:
        attempt(twin.relationships, link)


def walk(folder: Path, path: Path, *, complete: bool = False) -> None:
    """Make every public call with a file.

    Asserts, with `attempt`, that any other error than a TwinlabError fails the test, that a refused file leaves no folder,
    and, with `walk_rest`, that the twin verifies and reads the same after it is opened again.
    """
    place = folder / "twin"
    if attempt(tl.create, place, files=[path]) is None:
        assert not place.exists(), "a refused file leaves no folder"
        assert main(["create", str(place), "--from", str(path)]) == 1
        return
    twin = tl.open(place)
    for call in (repr, type(twin)._repr_html_, type(twin).questions):
        attempt(call, twin)
    report = attempt(twin.ingest, path)
    if report is not None:
        assert report.text() and report._repr_html_()
    attempt(twin.ingest, path, strict=True)
    read(twin)
    walk_rest(folder, twin, path, complete=complete)


def walk_rest(folder: Path, twin: Any, path: Path, *, complete: bool) -> None:
    """Make the calls after an ingest."""
    for call in (repr, type(twin)._repr_html_, lambda one: str(one.reader.status())):
        attempt(call, twin)
    attempt(tl.events.exceptions, twin, at=TIME)
    for number, what in enumerate([*twin.model.asset_types, *twin.model.event_types]):
        for suffix in ("csv", "xlsx", "parquet", "zarr") if complete else ("csv",):
            attempt(twin.export, what, folder / f"out{number}.{suffix}")
    attempt(twin.rebuild)
    if complete:
        for known in (TIME, "2100-01-01"):
            seen = attempt(twin.as_of, known)
            read(seen) if seen is not None else None
            seen = attempt(twin.as_of, known, mapping="current")
            read(seen) if seen is not None else None
        for command in (["status"], ["verify"], ["ingest", path], ["rebuild"]):
            arguments = [command[0], twin.folder, *command[1:]]
            assert main([str(one) for one in arguments]) in (0, 1)
    assert twin.verify().ok
    assert_equal_after_reopening(twin)


def assert_equal_after_reopening(twin: Any) -> None:
    again = tl.open(twin.folder)
    for kind, spec in twin.model.asset_types.items():
        chosen = list(spec.signals)[:1]
        if not chosen:
            continue
        one, other = attempt(twin.history, kind, signals=chosen), attempt(again.history, kind, signals=chosen)
        assert (one is None) == (other is None)
        assert one is None or one.identical(other) or one.equals(other)


@pytest.fixture(autouse=True)
def no_unexpected_error(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    out, err = capfd.readouterr()
    assert "unexpected error" not in out + err


@pytest.mark.parametrize("name", INPUTS)
def test_every_call_with_a_hostile_file_ends_in_a_result_or_an_error_for_people(tmp_path: Path, name: str) -> None:
    walk(tmp_path, write_input(tmp_path, name))


@pytest.mark.soak
@pytest.mark.parametrize("name", INPUTS)
def test_every_call_and_command_with_a_hostile_file(tmp_path: Path, name: str) -> None:
    walk(tmp_path, write_input(tmp_path, name), complete=True)


MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
      door: {kind: state, states: [open, shut], cadence: 1min}
    properties: {floor: {kind: number}}
event_types:
  visit: {links: {room: room}, properties: {cost: {unit: USD}}}
relationships:
  beside: {from: room, to: room}
"""
MAPPING = """
source: rooms
files: ["rooms*.csv"]
reading: {decimal: "."}
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      temp: {signal: temperature, unit: degC, missing: [-99]}
      door: {signal: door, states: {o: open, s: shut}}
    ignore: [note]
    events:
      - type: visit
        key: [id]
        start: {column: time, zone: UTC}
        links: {room: {column: room}}
        properties: {cost: {column: cost, unit: USD}}
"""
ROWS = "id,time,room,temp,door,cost,note\n" + "".join(
    f"{n},2026-01-01 00:0{n},{'AB'[n % 2]},{20 + n / 10},{'os'[n % 2]},{n},x\n" for n in range(6)
)
#: What a person may write in place of a value.
WRONG: list[Any] = [
    None, "", "x", "nowhere", 7, -1, 1e300, float("nan"), True, [], [1], ["temp"], {}, {"column": "temp"}, "1h", "degF", "furlong",
    "Europe/Nowhere", "Europe/Berlin", "/(/", "*", "é\u202e", {"a": {"b": {}}}, "time", "room", "2026-13-45", "%Q",
]  # fmt: skip


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a YAML document."""
    if at:
        yield at
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from places(value, (*at, key))


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw which file is edited ("model" or "mapping"), and the document after one to three edits."""
    which = draw(st.sampled_from(["model", "mapping", "mapping", "mapping"]))
    document = yaml.safe_load(MODEL if which == "model" else MAPPING)
    for _ in range(draw(st.integers(1, 3))):
        known = list(places(document))
        if not known:
            break
        *path, last = draw(st.sampled_from(known))
        node = document
        for key in path:
            node = node[key]
        match draw(st.sampled_from(["remove", "replace", "rename", "copy"])):
            case "remove":
                del node[last]
            case "replace":
                # Copied, because a later edit may change it.
                node[last] = deepcopy(draw(st.sampled_from(WRONG)))
            case "rename" if isinstance(node, dict):
                node[draw(st.sampled_from(["x", "signal", "column", "zone", "unit", 7, "time"]))] = node.pop(last)
            case _:
                other = draw(st.sampled_from(known))
                value = document
                with suppress(KeyError, IndexError, TypeError):
                    for key in other:
                        value = value[key]
                    node[last] = json.loads(json.dumps(value, default=str))
    return which, document


def try_edit(folder: Path, which: str, document: Any) -> None:
    """Create a twin with an edited file and use it; assert, with `attempt`, only TwinlabErrors, and that the twin verifies."""
    texts = {"model": MODEL, "mapping": MAPPING, which: yaml.safe_dump(document, allow_unicode=True)}
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    data = folder / "rooms.csv"
    data.write_text(ROWS)
    place = folder / "twin"
    if attempt(tl.create, place, model=folder / "model.yaml", mappings=folder / "mapping.yaml") is None:
        assert not place.exists()
        return
    twin = tl.open(place)
    attempt(twin.ingest, data)
    attempt(repr, twin)
    read(twin)
    attempt(twin.rebuild)
    assert twin.verify().ok


SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
@given(edit=edits())
def test_every_call_with_an_edited_model_or_mapping(tmp_path_factory: pytest.TempPathFactory, edit: Any) -> None:
    try_edit(tmp_path_factory.mktemp("edit"), *edit)


@pytest.mark.soak
@settings(max_examples=600, deadline=None, suppress_health_check=SLOW)
@given(edit=edits())
def test_every_call_with_many_edited_models_and_mappings(tmp_path_factory: pytest.TempPathFactory, edit: Any) -> None:
    try_edit(tmp_path_factory.mktemp("edit"), *edit)
