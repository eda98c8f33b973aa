"""A synthetic twin is a twin like any other that says everywhere what it is."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, SourceError, UnknownTermError
from twinlab.testing import FakeTwin
from twinlab.twin.generating.generate import generate


@pytest.fixture(scope="module")
def original():
    return FakeTwin.example(days=15, trips=150)


@pytest.fixture(scope="module")
def generated(original, tmp_path_factory):
    return generate(
        original, tmp_path_factory.mktemp("synthetic") / "twin", opened=tl.open, faults={"spike": 3, "gap": 2}, seed=4
    )


def test_it_has_the_assets_signals_and_events_of_the_original(generated, original):
    twin = tl.open(generated.twin.folder)
    for kind in ("station", "van", "cold_room"):
        assert set(map(str, twin.history(kind, step="1d")["asset"].values)) == set(
            map(str, original.history(kind, step="1d")["asset"].values)
        )
    assert len(twin.events("trip")) == pytest.approx(len(original.events("trip")), rel=0.4)
    assert twin.events("trip")["asset"].notna().all()
    assert twin.assets("station")["name"].tolist() == original.assets("station")["name"].tolist()
    assert generated.fidelity.set_index(["asset_type", "signal"]).loc[("station", "temperature"), "distribution"] < 0.1
    assert generated.privacy["longest_copy_hours"].max() < 24


def test_every_face_says_that_it_is_synthetic(generated):
    twin = generated.twin
    assert twin.model.twin == "example_synthetic"
    assert "(synthetic)" in twin.model.title
    for text in (repr(twin), twin._repr_html_(), twin.history("station").attrs["synthetic"]):
        assert "nobody observed these values" in text
    assert (
        "Synthetic data: made from example, nobody observed them."
        in twin.ask("average temperature of all stations").notes
    )


def test_it_sends_no_commands(generated):
    assert generated.twin.model.commands == {}
    assert generated.twin.model.alerts == {}


def test_the_truth_says_what_was_planted_and_flags_find_it(generated):
    truth = generated.truth
    assert truth["fault"].value_counts().to_dict() == {"spike": 3, "gap": 2}
    assert pd.read_csv(generated.twin.folder / "truth.csv")["asset"].tolist() == truth["asset"].tolist()
    gap = truth[truth["fault"] == "gap"].iloc[0]
    there = generated.twin.history(
        gap["asset_type"], signals=[gap["signal"]], assets=[gap["asset"]], start=gap["start"], stop=gap["stop"]
    )
    assert np.isnan(there[gap["signal"]].values).all()
    found = generated.detection()
    assert found["planted"].to_dict() == {"spike": 3, "gap": 2}
    assert found.loc["gap", "recall"] == 1
    assert found["found"].le(found["planted"]).all()


def test_the_same_seed_gives_the_same_twin_and_pseudonyms_are_shuffled(original, generated, tmp_path):
    again = generate(
        original, tmp_path / "again", opened=tl.open, faults={"spike": 3, "gap": 2}, seed=4, pseudonyms=True
    )
    names = set(map(str, again.twin.assets("station").index))
    assert names == {"station_1", "station_2", "station_3"}
    assert set(again.twin.assets("station")["name"]) == names
    one, other = (
        np.sort(each.twin.history("station", step="1d")["temperature_mean"].values, axis=1)
        for each in (generated, again)
    )
    np.testing.assert_array_equal(one, other)


def test_what_cant_be_is_refused_and_leaves_nothing(original, tmp_path):
    for wrong, kind in (({"mix": 0.0}, SchemaError), ({"faults": {"stuk": 1}}, UnknownTermError), ({"faults": -1}, SchemaError),
                        ({"stop": "2026-01-08"}, SchemaError)):  # fmt: skip
        with pytest.raises(kind):
            generate(original, tmp_path / "wrong", opened=tl.open, **wrong)
        assert not (tmp_path / "wrong").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    with pytest.raises(SourceError, match="isn't empty"):
        generate(original, tmp_path / "full", opened=tl.open)
    assert (tmp_path / "full" / "a.txt").read_text() == "mine"
