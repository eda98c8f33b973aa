"""Futures that are stored beside the twin."""

import hashlib
import shutil

import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError, SourceError
from twinlab.simulate.calibration.fidelity import fidelity
from twinlab.simulate.scenarios.kinds.close import Close
from twinlab.simulate.scenarios.scenario import Scenario

START = "2026-01-29"


def digest(folder) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".holder":
            whole.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return whole.hexdigest()


def test_futures_are_stored_by_name_and_never_in_the_history(parcel, calibrated):
    options = {
        "start": START,
        "horizon": "6h",
        "replications": 4,
        "trace": 2,
        "calibrated": calibrated,
        "progress": False,
    }
    history, ledger = digest(parcel.folder / "history"), digest(parcel.folder / "ledger")
    plain = parcel.simulate(**options)
    stored = parcel.simulate(name="thursday", **options)
    try:
        assert stored.kpis.equals(plain.kpis)
        assert list(parcel.scenarios) == ["thursday"]
        row = parcel.scenarios.table().iloc[0]
        assert (row["replications"], row["asked"], row["stopped"]) == (4, 4, "")
        assert row["attrs"]["position"] == parcel.reader.position()
        assert set(row["attrs"]["mappings"]) == set(parcel.mappings)
        assert parcel.scenarios.open("thursday").kpis.equals(plain.kpis)
        assert parcel.scenarios.rerun("thursday", {"base": calibrated.model}, progress=False).identical
        with pytest.raises(SchemaError, match="the end is"):
            parcel.simulate(name="thursday", **{**options, "horizon": "12h"})
    finally:
        parcel.scenarios.delete("thursday")
    assert list(parcel.scenarios) == []
    assert digest(parcel.folder / "history") == history
    assert digest(parcel.folder / "ledger") == ledger


@pytest.fixture
def stored(parcel, calibrated):
    scored = fidelity(parcel, calibrated, ("2026-01-25", "2026-01-28"), replications=20)
    closed = Scenario("closed", changes=[Close(node=calibrated.model.hubs[0], start="1h", stop="3h")])
    options = {"start": START, "horizon": "6h", "replications": 3, "trace": 2, "progress": False, "name": "Friday"}
    results = parcel.simulate(closed, calibrated=calibrated, fidelity=scored, **options)
    yield results
    parcel.scenarios.delete("Friday")


def test_stored_futures_need_nothing_but_their_folder(parcel, stored):
    opened = parcel.scenarios["Friday"]
    assert opened.assumed == stored.assumed
    assert len(opened.assumed) > 3
    assert opened.fidelity_words == stored.fidelity_words
    pd.testing.assert_frame_equal(opened.fidelity.table(), stored.fidelity.table())
    xr.testing.assert_identical(opened.kpi("delay_minutes"), stored.kpi("delay_minutes"))
    late = {"expression": "start_delay > 5 min", "on": "trip"}
    pd.testing.assert_frame_equal(opened.find(**late), stored.find(**late))
    again = parcel.scenarios.rerun("Friday", progress=False)
    assert again.identical
    assert again.replications == 6


def test_stored_futures_are_extended_as_if_they_had_been_longer(parcel, calibrated, stored):
    more = parcel.scenarios["Friday"].extend(5, progress=False)
    assert more.fidelity is not None
    alone = parcel.simulate(start=START, horizon="6h", replications=5, calibrated=calibrated, progress=False)
    assert more.kpis.sel(scenario=["base"]).equals(alone.kpis)
    comparison = parcel.scenarios.compare(("Friday", "base"), ("Friday", "closed"), kpi="delivered")
    assert comparison.difference == pytest.approx(
        float((more.kpis.sel(scenario="closed") - more.kpis.sel(scenario="base"))["delivered"].mean())
    )


def test_a_stored_run_without_its_model_says_so(parcel, stored):
    for folder in (stored.store.path / "models").iterdir():
        shutil.rmtree(folder)
    with pytest.raises(SourceError, match="pass the model as models="):
        parcel.scenarios.rerun("Friday", progress=False)
