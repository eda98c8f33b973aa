"""Drafts of files in the shapes of well-known data sets, compared with the right ones: how many facts must be edited."""

from pathlib import Path

import pytest

from tests.harmonise.drafting.draft_facts import facts
from tests.harmonise.drafting.known_shapes import SHAPES
from twinlab.harmonise import draft

#: Set -> number of facts to edit, beyond answering the listed questions; see notebooks/reference/measured.md.
EDITS = {
    "smart_meters": 2,  # the tariff is a property of the household
    "on_time_flights": 5,  # a longer key; units of delays and distances, which no header states
    "global_hourly": 5,  # packed cells such as "+0056,1" can't be read; a source number is no signal
    "deliveries": 1,  # the courier is the asset
    "supply_chain": 2,  # the plan is a duration in days
    "building_meters": 1,  # the zone of a building is a property
}


def right(name):
    """The right facts of a set: written by hand; "unknown" is what the files don't state, so that the draft has to ask."""
    text = (Path(__file__).parent / "right_drafts.txt").read_text(encoding="utf-8")
    (block,) = (part for part in text.split("\n[") if part.lstrip("[").startswith(f"{name}]"))
    return dict(line.split(" -> ", 1) for line in block.splitlines()[1:] if line)


@pytest.mark.parametrize("name", SHAPES)
def test_a_draft_of_a_known_shape_needs_few_edits_and_states_no_wrong_unit_zone_or_time(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    for file, text in SHAPES[name]().items():
        (folder / file).write_text(text, encoding="utf-8")
    found, expected = facts(draft([folder], name=name)), right(name)
    edits = {fact for fact in found.keys() | expected.keys() if found.get(fact) != expected.get(fact)}
    assert len(edits) == EDITS.get(name, 0), sorted(edits)
    wrong = {fact: found[fact] for fact in edits & found.keys() & expected.keys()}
    assert not [fact for fact in wrong if "zone=" in wrong[fact] or wrong[fact].startswith(("gauge", "counter"))]
