"""A question in a page: the plan before it runs, the answer with what it rests on, what others may propose and see."""

import html

import numpy as np
import pandas as pd
import pytest

from twinlab.ask import NotUnderstoodError, Plan, run_plan
from twinlab.explore import AskView
from twinlab.explore.kit.link import Link, format_link, parse_link
from twinlab.explore.views.asking.links import plan_link
from twinlab.testing import FakeTwin

MEAN = "average temperature of stations on 2026-01-02"


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=4, trips=40)


@pytest.fixture
def view(twin):
    return AskView(twin, pages=("history", "events"))


def shown(view):
    """All HTML of the panel."""
    panel = view._shown()
    return html.unescape(" ".join(str(pane.object) for pane in (panel.status, panel.plan, panel.answer, panel.table)))


def test_the_plan_is_shown_and_nothing_runs_before_the_reader_says_so(view):
    view.propose(MEAN)

    assert view.plan.call.do == "summary"
    assert view.answer is None
    assert "Nothing has run yet" in shown(view)
    assert "from 2026-01-02 00:00 to 2026-01-03 00:00" in shown(view)

    view.run()

    assert "This was read" in shown(view)
    assert view.answer.sentence in shown(view)


def test_the_answer_is_that_of_pandas(view, twin):
    view.propose(MEAN)
    view.run()

    data = twin.history("station", signals=["temperature"], start="2026-01-02", stop="2026-01-03")
    good = data["temperature"].where(data["temperature_qc"].isin([1, 3])).to_pandas()
    assert view.answer.value == pytest.approx(float(good.stack().mean()))
    assert list(view.answer.table["asset"]) == list(good.columns)
    assert view.answer.table["value"].to_numpy() == pytest.approx(good.mean().to_numpy())
    assert view._shown().picture.visible


def test_the_copied_python_gives_the_same_numbers(view, twin):
    view.propose(MEAN)
    view.run()
    [code] = view.field.copying.values()

    class Asked(FakeTwin):
        ask = run_plan

    space = {"twin": Asked.example(days=4, trips=40)}
    exec("\n".join(line for line in code.splitlines() if not line.startswith("twin =")), space)

    assert space["answer"].value == view.answer.value
    pd.testing.assert_frame_equal(space["answer"].table, view.answer.table)


def test_a_question_with_a_line_break_adds_no_line_to_the_copied_python(view):
    view.propose(f"{MEAN}\nimport os")

    assert view.plan is None
    view.propose("how many\nstations are there")
    [code] = view.field.copying.values()
    assert "# how many stations are there\n" in code


def test_enter_twice_runs_only_the_plan_that_is_shown(view):
    act = view.field._handle_msg
    act({"kind": "plan", "text": MEAN})
    assert view.field.planned == MEAN
    assert view.answer is None
    act({"kind": "run", "text": MEAN})
    assert view.answer.answered
    act({"kind": "plan", "text": "how many stations are there"})
    assert view.answer is None


@pytest.mark.parametrize(
    "data", [None, 3, {"kind": "run"}, {"kind": "__init__", "text": "x"}, {"kind": ["plan"], "text": "x"}]
)
def test_other_messages_of_a_browser_do_nothing(view, data):
    view.field._handle_msg(data)

    assert view.plan is None
    assert view.turns == 0


def test_a_question_that_is_not_understood_offers_questions_that_are(view):
    view.propose("colour of the sky because of snow")

    assert view.plan is None
    assert "I can't tell" in shown(view)
    offered = [button for button in view._shown().offers if button.visible]
    assert offered
    view.propose(offered[0].label)
    assert view.plan is not None


def test_answers_stay_listed_and_are_shown_again_by_a_click(view):
    for question in (MEAN, "how many stations are there", MEAN):
        view.propose(question)
        view.run()
    listed = view._shown().earlier.items

    assert [one["label"] for one in listed] == [MEAN, "how many stations are there"]
    view.show_earlier(listed[1]["answer"])
    assert view.answer.value == 3
    assert view.question == view.field.text == "how many stations are there"


def test_a_newer_question_wins_over_a_slow_older_one(view):
    later = []
    view._do("…", lambda: view._plan(MEAN), lambda found: later.append(found))
    before = view._turn
    view._finish(before - 1, later.append, "older", "", keep=False)

    assert len(later) == 1
    assert "older" not in later


def test_each_number_can_be_explained_where_the_twin_can(twin):
    class Explains(FakeTwin):
        def why(self, what, signal=None, at=None):
            return what, signal, at

    view = AskView(Explains.example(days=2, trips=5))
    view.propose("average temperature of stations")
    view.run()
    reasons = view.reasons()
    assert set(reasons) == {"EAST", "NORTH", "WEST"}
    assert view.twin.why(**reasons["NORTH"])[:2] == ("station/NORTH", "temperature")
    assert not AskView(twin).reasons()


def test_the_link_of_an_answer_opens_the_page_on_its_assets_and_span(view):
    view.propose("average temperature of NORTH on 2026-01-02")
    view.run()
    view._open()

    assert view.asked.page == "history"
    assert view.asked.assets == ("NORTH",)
    assert str(view.asked.window[0])[:10] == "2026-01-02"
    assert AskView(view.twin).link() is None


@pytest.mark.parametrize(
    "question", ["how many trips started on 2026-01-02", "when was the temperature of stations above 12 degC"]
)
def test_links_of_plans_are_read_again_as_they_were_written(twin, question):
    view = AskView(twin)
    view.propose(question)
    link = plan_link(view.plan, twin.model)

    assert parse_link(format_link(link)) == link


def test_findings_are_about_what_is_shown_and_lead_to_their_plans(twin):
    window = (np.datetime64("2026-01-02", "ns"), np.datetime64("2026-01-03", "ns"))
    view = AskView(twin, scope=lambda: Link(asset_type="station", assets=("NORTH",), window=window))
    view.field._handle_msg({"kind": "explain", "text": ""})
    assert "from 2026-01-02 00:00 to 2026-01-03 00:00" in shown(view)
    sentences = [button.label for button in view._shown().offers if button.visible]
    [coverage] = [one for one in sentences if "known" in one]

    view.choose(coverage)
    assert view.plan.call.assets is None or view.plan.call.assets == ["NORTH"]
    assert view.answer is None
    view.run()
    assert view.answer.evidence.coverage == 1
    assert list(view.answer.table["asset"]) == ["NORTH"]


# -- planners of others -------------------------------------------------------------------------------------------------


class Hostile:
    """A planner that returns what it is given."""

    def __init__(self, found):
        self.found = found

    def plan(self, question, twin, *, now, language=None):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def of_asset(**more):
    call = {"do": "summary", "on": "station", "signal": "temperature", "statistic": "mean"}
    span = {"start": "2026-01-01", "stop": "2026-01-02"}
    return Plan.model_validate({"question": "x", "call": {**call, "span": span, **more}})


def test_a_planner_of_somebody_else_only_proposes(twin):
    view = AskView(twin, planner=Hostile(of_asset(assets=["NORTH"])))
    view.propose("anything")

    assert view.plan.call.assets == ["NORTH"]
    assert view.plan.question == "anything"
    assert view.answer is None


@pytest.mark.parametrize(
    "found",
    [
        "import os; os.remove('x')",
        of_asset(signal="secret"),
        of_asset().model_copy(update={"call": {"do": "delete", "path": "/"}}),
        Plan.model_construct(question="x", call=of_asset().call.model_copy(update={"statistic": "drop table"}), language="en", versus=None, unit=None, notes=[]),
        RuntimeError("<script>alert(1)</script>"),
        NotUnderstoodError("<script>alert(1)</script>", {}, ["<b>ask me</b>"]),
    ],
)  # fmt: skip
def test_what_is_no_valid_plan_is_refused_in_words(twin, found):
    view = AskView(twin, planner=Hostile(found))
    view.propose("anything")

    assert view.plan is None
    assert not view._shown().run.visible
    assert "That didn't work" in shown(view) or "I can't tell" in shown(view)
    panel = view._shown()
    assert "<script>" not in f"{panel.status.object} {panel.answer.object}"
    view.run()
    assert view.answer is None or not view.answer.answered
