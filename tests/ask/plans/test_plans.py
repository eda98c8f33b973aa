"""Plans are checked before they run, whoever proposes them."""

import pandas as pd
import pytest
from pydantic import ValidationError

from twinlab.ask import Plan, ask, run_plan
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.testing import FakeTwin

SPAN = {"start": "2026-01-12T00:00:00", "stop": "2026-01-19T00:00:00"}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            {"do": "summary", "on": "fridge", "signal": "temperature", "statistic": "mean", "span": SPAN},
            "asset type 'fridge'",
        ),
        (
            {"do": "summary", "on": "station", "signal": "heat", "statistic": "mean", "span": SPAN},
            "signal of 'station' 'heat'",
        ),
        (
            {"do": "events", "on": "trip", "measure": "mean", "column": "weight", "span": SPAN},
            "number of 'trip' 'weight'",
        ),
        ({"do": "events", "on": "trip", "measure": "count", "by": "colour", "span": SPAN}, "group of 'trip' 'colour'"),
        ({"do": "rule", "rule": "too_cold", "span": SPAN}, "rule 'too_cold'"),
        ({"do": "kpi", "kpi": "uptime", "every": "1d", "span": SPAN}, "KPI 'uptime'"),
    ],
)
def test_a_name_that_the_twin_lacks_is_refused(call: dict[str, object], says: str, example: FakeTwin) -> None:
    with pytest.raises(UnknownTermError, match=says):
        run_plan(example, Plan.model_validate({"question": "?", "call": call}))


@pytest.mark.parametrize("condition", ["temperature >", "__import__('os')", "door == ajar", "temperature > 3 kg"])
def test_a_condition_that_cannot_be_read_is_refused(condition: str, example: FakeTwin) -> None:
    plan = Plan.model_validate(
        {"question": "?", "call": {"do": "find", "on": "cold_room", "condition": condition, "span": SPAN}}
    )

    with pytest.raises(SchemaError, match="condition"):
        run_plan(example, plan)


@pytest.mark.parametrize(
    "call",
    [
        {"do": "delete", "on": "station"},
        {"do": "where", "on": "van", "asset": "V1", "at": "tomorrow"},
        {
            "do": "find",
            "on": "cold_room",
            "condition": "door == open",
            "span": {"start": SPAN["stop"], "stop": SPAN["start"]},
        },
        {"do": "events", "on": "trip", "measure": "mean", "span": SPAN},
        {
            "do": "summary",
            "on": "station",
            "signal": "temperature",
            "statistic": "mean",
            "span": SPAN,
            "path": "/etc/passwd",
        },
    ],
)
def test_a_plan_of_another_form_is_no_plan(call: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate({"question": "?", "call": call})


def test_a_planner_of_ones_own_only_proposes(example: FakeTwin) -> None:
    class Model:
        def plan(self, question: str, twin: object, *, now: pd.Timestamp, language: str | None = None) -> Plan:
            return Plan.model_validate(
                {"question": question, "call": {"do": "rule", "rule": "drop_tables", "span": SPAN}}
            )

    with pytest.raises(UnknownTermError, match="drop_tables"):
        ask(example, "anything", planner=Model())
