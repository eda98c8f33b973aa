"""On the page Outlook a model is trained again, compared, and promoted or discarded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.explore.views.outlook.conftest import pump_twin
from twinlab.compute import Handle
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.session import Session
from twinlab.explore.views.outlook.explorer import OutlookExplorer
from twinlab.predict import ByEventTime, Inputs, SeasonalNaive, SignalTarget, fit_on


@pytest.fixture
def view(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> OutlookExplorer:
    # A twin in memory can't be opened again by another thread.
    monkeypatch.setattr(Handle, "of", classmethod(lambda cls, twin: cls(None, twin)))
    twin = pump_twin(tmp_path)
    inputs = Inputs("pump", ("vibration",), step="1h", window="3d", training="20d")
    naive = SeasonalNaive(inputs, SignalTarget("vibration", "mm/s"), ("6h", "12h"))
    fitted = fit_on(naive, twin, known="2026-02-01", knowledge=ByEventTime())
    twin.models.add("vibration", fitted, owner="pump team", knowledge=ByEventTime())
    return OutlookExplorer(twin, link=Link(part="models"), session=Session(user="dora"))


def test_a_model_is_trained_again_compared_and_promoted(view: OutlookExplorer) -> None:
    models, part = view.twin.models, view.shown.decisions
    before = models.record("vibration").version
    assert not part._buttons.visible
    part.reason.value = "more data"
    part.train()
    assert not part._alert.visible, part._alert.object
    assert part.promote.disabled is False
    assert "stop" in part._diff.object
    assert "a new version is proposed" in view.shown._shown.object
    new = part.proposal.version
    part.reason.value = "better"
    part.promote.clicks += 1
    assert models.record("vibration").version == new != before
    assert "was promoted" in part.bar.status.object
    assert not part._buttons.visible
    assert "a new version is proposed" not in view.shown._shown.object


def test_an_open_proposal_is_compared_before_it_is_promoted_and_can_be_discarded(view: OutlookExplorer) -> None:
    models = view.twin.models
    before = models.record("vibration").version
    models.retrain("vibration", author="ann")
    part = OutlookExplorer(view.twin, link=Link(part="models"), session=Session(user="dora")).shown.decisions
    assert (part.promote.disabled, part.discard.disabled) == (True, False)
    part.decide("promote")
    assert models.record("vibration").version == before
    part.compare()
    assert part.diff is not None
    assert not part.promote.disabled
    part.discard.clicks += 1
    assert models.proposals("vibration") == []
    assert models.record("vibration").version == before


def test_what_cannot_be_trained_again_says_why(view: OutlookExplorer) -> None:
    part = view.shown.decisions
    part.train()
    part.decide("promote")
    part.train()
    assert "expected data that became known after the training" in part._alert.object
    part.compare()
    assert "no proposed version" in part.bar.status.object
