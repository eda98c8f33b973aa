"""Models are listed, shown and checked from the command line."""

import json

import pytest

import twinlab as tl
from tests.predict.conftest import INPUTS, TARGET
from tests.twin.predict.test_models import RULE, make
from twinlab.cli import main

P = tl.predict


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    """Folder of a twin with the model ``rooms``, whose rooms became warmer."""
    twin = make(tmp_path_factory.mktemp("cli") / "files", shift=3.0, days=50)
    naive = P.SeasonalNaive(INPUTS, TARGET, ("6h", "12h"))
    twin.models.add(
        "rooms", P.fit_on(naive, twin, known="2026-02-10", knowledge=RULE), owner="Cold chain", knowledge=RULE
    )
    return twin.folder


def test_a_twin_without_models_says_how_to_store_one(pilot, tmp_path, capsys):
    tl.create(tmp_path / "empty", model=pilot / "twin.yaml")
    assert main(["models", str(tmp_path / "empty")]) == 0
    assert "twin.models.add" in capsys.readouterr().out
    assert main(["models", str(tmp_path / "empty"), "--check"]) == 0


def test_models_are_listed_and_one_is_shown(pilot, capsys):
    assert main(["models", str(pilot)]) == 0
    out = capsys.readouterr().out
    assert "rooms" in out
    assert "Cold chain" in out
    assert "2026-02-10" in out
    assert main(["models", str(pilot), "--card", "rooms"]) == 0
    assert "What it can't answer:" in capsys.readouterr().out
    assert main(["models", str(pilot), "--card", "room"]) == 1
    assert "did you mean 'rooms'" in capsys.readouterr().err
    assert main(["models", str(pilot), "--card", "rooms", "--check"]) == 2


def test_a_check_exits_with_1_where_a_model_should_be_trained_again_or_cannot_be_read(pilot, capsys):
    assert main(["models", str(pilot), "--check"]) == 1
    assert "retrain proposed: temperature has drifted: PSI" in capsys.readouterr().out
    decided = pilot / "models" / "rooms" / "decisions.json"
    text = decided.read_text()
    try:
        decided.write_text(json.dumps([{"no": 1}]))
        assert main(["models", str(pilot), "--check"]) == 1
        assert "decisions.json can't be read" in capsys.readouterr().err
        assert main(["models", str(pilot)]) == 0
        assert "decisions.json can't be read" in capsys.readouterr().err
    finally:
        decided.write_text(text)


def test_a_model_is_trained_again_and_promoted_by_name(pilot, capsys):
    assert main(["models", str(pilot), "--retrain", "rooms", "--test", "3d", "--author", "bo"]) == 0
    out = capsys.readouterr().out
    assert "--promote rooms" in out and "(proposed)" in out
    twin = tl.open(pilot)
    version = twin.models.proposals("rooms")[0]
    try:
        assert main(["models", str(pilot), "--promote", "rooms", "--author", "bo"]) == 0
        assert f"version {version[:10]} is in use" in capsys.readouterr().out
        assert twin.models.current("rooms") == version
        assert twin.models.decisions("rooms")["author"].iloc[-1] == "bo"
    finally:
        twin.models.rollback("rooms")
    assert main(["models", str(pilot), "--promote", "rooms"]) == 1
    assert main(["models", str(pilot), "--author", "bo"]) == 2
    assert main(["models", str(pilot), "--retrain", "rooms", "--check"]) == 2
