"""The field of the frame: what a restricted reader can ask, whose planner is used, and links with a question."""

import asyncio
import sys

import pytest

from twinlab.apps.frame.frame import page
from twinlab.apps.rights.restricted_twin import RestrictedTwin
from twinlab.apps.rights.rights import Rights
from twinlab.ask import Plan
from twinlab.explore import AskView
from twinlab.explore.views.asking.field import QuestionField
from twinlab.model.access.policy_file import parse_policy
from twinlab.testing import FakeTwin

MEAN = "average temperature of stations on 2026-01-02"
POLICY = "roles: {dispatcher: {assets: [{type: station, ids: [NORTH]}], sensitivity: internal}}"


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=4, trips=40)


@pytest.fixture
def mine(twin):
    return RestrictedTwin(twin, Rights(parse_policy(POLICY), ("dispatcher",)))


class Proposes:
    """A planner that always proposes the same."""

    def __init__(self, asset):
        self.asset = asset

    def plan(self, question, twin, *, now, language=None):
        call = {"do": "summary", "on": "station", "signal": "temperature", "statistic": "mean", "assets": [self.asset]}
        span = {"start": "2026-01-01", "stop": "2026-01-02"}
        return Plan.model_validate({"question": question, "call": {**call, "span": span}})


def shown(view):
    panel = view._shown()
    offers = [button.label for button in panel.offers if button.visible]
    return " ".join(str(pane.object) for pane in (panel.status, panel.plan, panel.answer, panel.table)) + str(offers)


def test_a_restricted_reader_meets_no_name_they_do_not_see(mine):
    view = AskView(mine)

    typed = ("", "E", "EA", "Ea", "WES", "average temperature of EA", "average temperature of W")
    completed = [one for text in typed for one in view.complete(text)]
    assert completed
    assert not [one for one in completed if "EAST" in one.upper() or "WEST" in one.upper()]
    for question in ("average temperature of EAST", "average temperature of EASTT on 2026-01-02", MEAN):
        view.propose(question)
        view.run()
        text = shown(view).replace(question, "").replace("“EAST”", "").replace("“EASTT”", "")
        assert "WEST" not in text
        assert "East" not in text
    assert list(view.answer.table["asset"]) == ["NORTH"]


def test_a_plan_for_an_asset_that_is_not_seen_says_what_one_for_no_asset_says(mine):
    said = []
    for asset in ("EAST", "NOWHERE"):
        view = AskView(mine, planner=Proposes(asset))
        view.propose("anything")
        view.run()
        assert not view.answer.answered
        said.append(view.answer.sentence.replace(asset, "?"))
    assert said[0] == said[1]


async def _field(twin, query="?page=history", **more):
    shown = page(twin, query=query, **more)
    [field] = shown.select(QuestionField)
    return shown, field


def test_the_planner_that_a_page_is_given_proposes_its_plans(twin, monkeypatch, tmp_path):
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path))
    _, field = asyncio.run(_field(twin, planner=Proposes("WEST")))
    field._handle_msg({"kind": "plan", "text": "what you like"})

    assert field.planned == "what you like"
    assert "WEST" in next(iter(field.copying.values()))


def test_a_page_reads_no_vocabulary_before_its_field_is_used(twin, monkeypatch, tmp_path):
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path))
    made = []
    planner = sys.modules["twinlab.ask.planner"]
    own = planner.vocabulary
    monkeypatch.setattr(planner, "vocabulary", lambda *given: made.append(given) or own(*given))
    other = FakeTwin.example(days=1, trips=3)
    _, field = asyncio.run(_field(other))
    assert not made

    field._handle_msg({"kind": "typed", "text": "average tem"})
    assert made
    assert field.offers["items"][0].startswith("average tem")


def test_a_link_with_a_question_shows_its_plan_and_does_not_run_it(twin, monkeypatch, tmp_path):
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path))
    shown, field = asyncio.run(_field(twin, query="?page=history&ask=how+many+stations+are+there"))

    assert field.planned == field.text == "how many stations are there"
    text = " ".join(str(getattr(pane, "object", "")) for pane in shown.select())
    assert "Nothing has run yet" in text
    assert "This was read" not in text
