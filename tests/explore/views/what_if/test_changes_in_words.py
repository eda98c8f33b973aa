"""Changes in words on page What-if: read into a draft, shown, added only when the reader says so."""

import pytest

import twinlab as tl
from twinlab.demos import ParcelSize
from twinlab.explore import parse_link
from twinlab.explore.views.what_if.explorer import WhatIfExplorer

SIZE = ParcelSize(hubs=5, trucks=20, cold_rooms=1, forklifts=1, parcels_a_week=500, weeks=4)
LINK = "?page=what_if&at=2026-01-28T06:00&horizon=12h&futures=6"


@pytest.fixture
def view():
    return WhatIfExplorer(tl.demo("parcel", size=SIZE), link=parse_link(LINK))


def marked(view):
    return [len(view._map._layers[layer]["tip"]) for layer in ("marked", "marked_links")]


def say(view, text):
    view._text.field.value_input = text
    view._text.read()
    return view._text.shown.object


def test_a_draft_is_shown_and_marked_on_the_map_and_is_in_the_plan_once_it_is_added(view):
    hub = view._places.names[0]
    before = view.plan
    shown = say(view, f"close {hub} tomorrow from 6 to 12 o'clock")

    assert f"node: {hub}" in shown
    assert marked(view) == [1, 0]
    assert view.plan == before
    assert (view.state, view.results) == ("ready", None)

    view._text.add()
    [scenario] = view.plan.scenarios
    [change] = scenario.changes
    assert (change.kind, change.node, change.start) == ("close", hub, "2026-01-29T06:00")
    # Long enough for the change to be in effect.
    assert (view.plan.horizon, view._horizon.value) == ("2d", "2d")
    assert view._text.shown.object == ""
    assert view._text.field.value == ""
    assert (view.state, view.results) == ("ready", None)


def test_a_second_text_is_added_to_the_same_scenario(view):
    first, second = view._places.names[:2]
    for hub in (first, second):
        say(view, f"close {hub} today from 8 to 10 o'clock")
        view._text.add()

    [scenario] = view.plan.scenarios
    assert [one.node for one in scenario.changes] == [first, second]
    # The link has both: the page opens again with them.
    assert WhatIfExplorer(view.twin, link=parse_link(tl.explore.format_link(view.link()))).plan == view.plan


@pytest.mark.parametrize("text", ["paint the trucks green", "close Atlantis tomorrow", "<script>alert(1)</script>"])
def test_what_is_not_understood_says_why_and_can_not_be_added(view, text):
    before = view.plan
    shown = say(view, text)

    assert shown
    assert "<script>" not in shown
    assert not view._text._choices.visible
    view._text.add()
    assert view.plan == before
    assert marked(view) == [0, 0]


def test_a_discarded_draft_leaves_the_plan_and_the_map_as_they_were(view):
    before = view.plan
    say(view, f"close {view._places.names[0]} tomorrow from 6 to 12 o'clock")
    view._text.discard()

    assert (view.plan, marked(view), view._text.draft) == (before, [0, 0], None)
