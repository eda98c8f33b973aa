"""What may be called on a twin in an object store: each public method reads, writes to the store, or is refused with the reason."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from s3_server import Proxy

import twinlab as tl
from twinlab.errors import SourceError
from twinlab.predict import ByEventTime
from twinlab.twin.remote.opening import RemoteTwin
from twinlab.twin.remote.refused import CATALOGUES, REFUSED

#: Methods that write to the store.
WRITTEN = {"ingest", "run", "writer"}
#: Methods that read only; a new one belongs here, above or in `REFUSED`.
READS = """
    alerts annotations anomalies applied_definitions as_of ask assets audit_rows calibrated_exceptions calibrations check close
    connect_devices definitions delay draft_scenario edits event_statistics events explain explore export failure_risk fidelity find
    fit_anomalies fit_delay fit_failure fit_simulation forecast forecast_events forecast_kpi forecast_storage freshness gaps gateways generate
    has_audit history key_ring kpi live_status maintenance_list moved_annotations newest notes observations open_questions opening people personal_reads plan
    plan_retention plan_scale plans preview_retention privacy_budget privacy_report proposals quarantine questions quote_simulation
    recent_rows relationships reload replay_alerts revision revisions saved_scenario score_simulation security_events setpoints
    signing_names simulate steps store_status unlock_key unreadable usage verify verify_audit why window_states
"""
#: Methods of catalogues that read only.
CATALOGUE_READS = """
    card check compare current decisions last_issue newest open proposal proposals read record rerun rounds score size state table
    truth versions
"""


def functions(kind: type) -> set[str]:
    return {name for name, one in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_each_method_reads_or_writes_to_the_store_or_is_refused(twin: tl.Twin) -> None:
    assert functions(RemoteTwin) == set(READS.split()) | WRITTEN | set(REFUSED)
    found = set().union(*(functions(type(getattr(twin, name))) for name in CATALOGUES))
    assert found == set(CATALOGUE_READS.split()).union(*CATALOGUES.values())


def test_what_would_be_written_to_the_cache_is_refused(twin: tl.Twin, network: Proxy, place: str) -> None:
    forecast = {
        "at": "2026-01-01T20:00",
        "horizon": "1h",
        "step": "15min",
        "training": "12h",
        "knowledge": ByEventTime("0min"),
    }
    twin.forecast("room", "temperature", store="kept", **forecast)
    twin.push(place)
    far = tl.open(place)
    expected = twin.forecast("room", "temperature", **forecast)
    assert far.predictions.names == ["kept"]
    assert far.models.names == []
    before = {path for path in far.folder.rglob("*") if "ledger" not in path.parts}
    network.requests.clear()
    match = f"{place} is read only but for .* cache only: write to the folder .* twinlab pull"
    for name in REFUSED:
        with pytest.raises(SourceError, match=match):
            getattr(far, name)("a", b=1)
    for name, methods in CATALOGUES.items():
        for method in methods:
            with pytest.raises(SourceError, match=match):
                getattr(getattr(far, name), method)("kept")
    with pytest.raises(SourceError, match=match):
        far.forecast("room", "temperature", store="other", **forecast)
    assert np.allclose(far.forecast("room", "temperature", **forecast).to_array(), expected.to_array(), equal_nan=True)
    assert {
        path for path in far.folder.rglob("*") if "ledger" not in path.parts and path.name != "lock"
    } <= before | caches(far.folder)
    assert not [one for one in network.requests if one.startswith("PUT")]


def caches(folder: Path) -> set[Path]:
    """Return what reading makes."""
    return {folder / "cache", *(folder / "cache").rglob("*")}
