"""Mappings of which parts are changed at random: a mapping, or errors with file and line. Short here; 100,000 with ``-m soak``."""

import os
import random

import pytest

from twinlab.errors import TwinlabError
from twinlab.model import Mapping
from twinlab.model.load import parse_mapping

# Python warns of a pattern such as [[a], which a mapping may have.
pytestmark = pytest.mark.filterwarnings("ignore:Possible:FutureWarning")

MAPPINGS = 300
SOAK = int(os.environ.get("TWINLAB_FUZZ_MAPPINGS", "100000"))
MAPPING = r"""
source: fridges
tables:
- time: {column: at, zone: Europe/Berlin, format: '%d.%m.%Y %H:%M', ambiguous: earlier}
  asset: {type: cold_room, column: room, pattern: 'r(\d+)'}
  columns:
    temp: {signal: temperature, unit: degF}
    door: {signal: door, states: {o: open, c: closed}}
    '/^e(?P<room>\d)$/': {signal: energy, unit: MJ, asset: 'cold_room/{room}'}
- time: {column: at, zone: UTC}
  tag: tag
  value: value
  unit_column: unit
  tags: {R1.T: {signal: temperature, asset: cold_room/r1}}
- events:
  - {type: trip, key: [trip], start: {column: start, zone: UTC}, end: {column: end, zone: UTC}, links: {truck: truck}}
  relationships: [{type: stands_in, from: room, to: hall}]
  assets: [{type: cold_room, id: room, properties: {floor: {column: area, unit: m2}}}]
"""
TOKENS = [
    "source", "tables", "time", "column", "zone", "UTC", "asset", "type", "signal", "unit", "states", "tag", "value", "events", "key", "start",
    "a", "1", "-1", "1e999", "null", "yes", "2013-01-01", "!!python/object:os.system", "&a", "*a", "<<: *a", "{", "}", "[", "]", ": ", "- ", "\n", "\t",
    "'", '"', "|", ">", "#", "%", "@", "\x00", "\u2028", "\ud800", "é", "😀", "(?P<x>", "(a+)+$", "../..", "=1+1", "x" * 2000, "[" * 200, "{a: " * 50,
]  # fmt: skip


def changed(rng):
    """Return the mapping with up to four changes of letters, tokens or lines."""
    text = MAPPING
    for _ in range(rng.randrange(1, 5)):
        place, chosen = rng.randrange(len(text)), rng.random()
        if chosen < 0.3:
            text = text[:place] + rng.choice(TOKENS) + text[place + rng.choice([0, 1, 4]) :]
        elif chosen < 0.5:
            text = text[:place] + chr(rng.choice([rng.randrange(128), rng.randrange(0x3000)])) + text[place + 1 :]
        elif chosen < 0.7:
            lines = text.split("\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            del lines[rng.randrange(len(lines))]
            text = "\n".join(lines)
        elif chosen < 0.9:
            old, new = rng.choice(TOKENS[:16]), rng.choice(TOKENS)
            text = text.replace(old, new, 1)
        else:
            text = text[:place]
        text = text or "\n"
    return text


def fuzz(count, seed):
    rng = random.Random(seed)
    taken = refused = 0
    for _ in range(count):
        text = changed(rng)
        try:
            assert isinstance(parse_mapping(text, "fridges.yaml"), Mapping)
            taken += 1
        except TwinlabError as error:
            refused += 1
            assert all(line.startswith("fridges.yaml") for line in str(error).splitlines()), (text, str(error))
    return taken, refused


def test_a_changed_mapping_is_a_mapping_or_explained_errors():
    assert isinstance(parse_mapping(MAPPING), Mapping)
    taken, refused = fuzz(MAPPINGS, seed=1)
    assert taken > MAPPINGS / 100 and refused > MAPPINGS / 4


@pytest.mark.soak
def test_many_changed_mappings():
    taken, refused = fuzz(SOAK, seed=2)
    print(SOAK, taken, refused)  # noqa: T201  (the counts are the result)
    assert taken > SOAK / 100 and refused > SOAK / 4
