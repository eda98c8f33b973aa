"""Questions nobody planned for: typing errors, hostile text, random words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.ask import Answer, WordPlanner, ask
from twinlab.ask.suggestions import complete
from twinlab.model import Kpi
from twinlab.testing import FakeTwin

PLANNER = WordPlanner()
TWIN = FakeTwin.example(days=3, trips=20)
WORDS = sorted({word for phrase in PLANNER.words(TWIN, "en").phrases for word in phrase})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS, "R1", "NORTH", "7", "8 °C", "2026-01-02", "6:30", "%"]), min_size=1, max_size=9)
)
def test_any_words_give_an_answer_or_say_why_not(words: list[str]) -> None:
    answer = ask(TWIN, " ".join(words), planner=PLANNER)

    assert isinstance(answer, Answer)
    assert answer.answered or answer.reason
    assert answer.sentence


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_an_answer_or_says_why_not(text: str) -> None:
    assert ask(TWIN, text, planner=PLANNER).sentence


def test_a_typing_error_is_corrected_in_the_first_suggestion() -> None:
    answer = ask(TWIN, "average temperaturen of stations", planner=PLANNER)

    assert not answer.answered
    assert answer.suggestions[0] == "average temperature of stations"
    assert ask(TWIN, answer.suggestions[0], planner=PLANNER).answered


@pytest.mark.parametrize(
    "question", ["<script>alert(1)</script> stations", "how many <img src=x onerror=alert(1)> stations"]
)
def test_a_script_in_a_question_is_text(question: str) -> None:
    page = ask(TWIN, question, planner=PLANNER)._repr_html_()

    assert "<script>" not in page
    assert "<img" not in page


def test_a_question_is_completed_with_names_of_the_twin_first() -> None:
    words = PLANNER.words(TWIN, "en")

    assert complete("average temp", words)[0] == "average temperature"
    assert "which cold room" in complete("which cold ro", words)


def test_every_suggestion_is_understood() -> None:
    for code in ("en", "de"):
        asked = ask(TWIN, "xyzzy", planner=PLANNER, language=code)
        assert asked.language == code
        for one in asked.suggestions:
            assert ask(TWIN, one, planner=PLANNER, language=code).plan is not None, one


def test_without_anything_to_go_by_one_question_of_each_kind_is_offered() -> None:
    twin = FakeTwin.example(days=3, trips=20)
    kpi = Kpi(title="Mean delay", on="trip", formula="mean(end_delay)", unit="min")
    twin._model = twin.model.model_copy(update={"kpis": {"mean_delay": kpi}})

    offered = ask(twin, "?", planner=PLANNER).suggestions

    assert offered[0] == "mean delay last week"
    assert len(offered) == 3
    assert len({one.split(maxsplit=1)[0] for one in offered}) == 3


def test_bounds_that_are_infinite_are_no_numbers_of_a_sentence() -> None:
    twin = FakeTwin.example(days=3, trips=200)
    kpis = {
        "delay": Kpi(title="Total delay", on="trip", formula="sum(end_delay)", unit="min"),
        "far": Kpi(title="Kilometres", on="trip", formula="sum(distance)", unit="km"),
    }
    twin._model = twin.model.model_copy(update={"kpis": kpis})

    unbounded, bounded = (str(ask(twin, one, planner=PLANNER)) for one in ("total delay", "kilometres"))

    assert "inf" not in unbounded
    assert "isn't known" in unbounded
    assert "(between " in bounded
