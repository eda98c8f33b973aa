"""Alerts as twin.yaml states them."""

import pytest
from pydantic import ValidationError

from twinlab.model import TwinModel
from twinlab.model.alerts.alert import Alert


def test_escalations_are_in_order_of_time() -> None:
    steps = [{"after": "2h", "channels": ["b"]}, {"after": "1h", "channels": ["a"]}]
    with pytest.raises(ValidationError, match="in order of time, got 2h, 1h"):
        Alert.model_validate({"rule": "warm", "escalate": steps})


def test_alerts_and_channels_do_not_change_what_history_is_built_from() -> None:
    from twinlab.history.build.mapping_context import content_hash

    model = TwinModel.model_validate(
        {"twin": "t", "asset_types": {"room": {}}, "rules": {"quiet": {"on": "room", "silent": "1h"}}}
    )
    more = TwinModel.model_validate(
        {
            "twin": "t",
            "asset_types": {"room": {}},
            "rules": {"quiet": {"on": "room", "silent": "1h"}},
            "channels": {"team": {"log": {}}},
            "alerts": {"quiet": {"rule": "quiet", "channels": ["team"]}},
        }
    )
    assert content_hash(model) == content_hash(more)


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        ({}, "exactly one of rule, finder, kpi or security, got none"),
        ({"rule": "quiet", "kpi": "share"}, "got rule and kpi"),
        ({"rule": "quiet", "by": "asset"}, "`by` belongs to `kpi`"),
        ({"finder": "wram"}, "did you mean 'warm'"),
        ({"kpi": "shre"}, "did you mean 'share'"),
        ({"kpi": "share"}, "has no target"),
        ({"rule": "quiet", "channels": ["nobody"]}, "there is no channel 'nobody'"),
    ],
)
def test_a_wrong_alert_is_refused_with_its_reason(alert: dict, expected: str) -> None:
    kinds = {"room": {"signals": {"t": {"unit": "degC", "resolution": 1}}}}
    kpis = {"share": {"on": "room", "formula": "time_share(t > 1 degC)"}}
    rules = {"quiet": {"on": "room", "silent": "1h"}}
    events = {"warm": {"on": "room", "when": "t > 1 degC"}}
    with pytest.raises(ValidationError, match=expected):
        TwinModel.model_validate(
            {"twin": "t", "events": events, "asset_types": kinds, "rules": rules, "kpis": kpis, "alerts": {"a": alert}}
        )
