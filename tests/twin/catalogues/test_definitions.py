"""KPIs and scenarios that people define: shared by all servers, versions stay, and of two changes at once one is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.errors import HistoryConflictError, SchemaError, UnknownTermError
from twinlab.model import Kpi
from twinlab.simulate.scenarios.scenario import Scenario
from twinlab.twin import Twin


def kpi_of(twin: Twin, limit: str) -> dict[str, object]:
    [kind] = twin._plain_model.asset_types
    [signal] = twin._plain_model.asset_types[kind].signals
    return {"on": kind, "formula": f"time_share({signal} > {limit} m)", "unit": "%"}


def test_a_kpi_that_somebody_defines_is_computed_in_all_servers_and_versions_stay(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinlab.twin.catalogues.definitions._FRESH", 0.0)
    one, two = tl.open(shared), tl.open(shared)
    assert "high" not in two.model.kpis
    assert one.define_kpi("high", kpi_of(one, "4"), author="ann", after=0) == 1
    assert float(two.kpi("high").value[0]) == 100
    assert two.define_kpi("high", Kpi.model_validate(kpi_of(two, "5")), author="bob", reason="as agreed") == 2
    assert float(one.kpi("high").value[0]) == 0
    assert one.model is one.model
    table = one.definitions("kpi", history=True)
    assert table[["name", "version", "author", "reason"]].to_numpy().tolist() == [
        ["high", 1, "ann", ""],
        ["high", 2, "bob", "as agreed"],
    ]
    assert one.definitions("kpi")["version"].tolist() == [2]
    with pytest.raises(HistoryConflictError, match="bob has written version 2"):
        one.define_kpi("high", kpi_of(one, "6"), author="ann", after=1)
    assert float(two.kpi("high").value[0]) == 0
    assert two.define_kpi("high", None, author="bob") == 3
    assert "high" not in one.model.kpis
    assert one.define_kpi("high", kpi_of(one, "4"), author="ann", after=3) == 4
    again = tl.open(shared)
    assert "high" in again.model.kpis
    assert again.definitions("kpi", history=True)["text"].tolist()[2] == ""


def test_of_changes_at_once_each_version_is_written_once_and_none_is_lost(shared: Path) -> None:
    twins = [tl.open(shared), tl.open(shared)]
    made: list[tuple[int, str]] = []
    refused: list[str] = []

    def change(twin: Twin, who: str) -> None:
        for n in range(3):
            try:
                version = twin.save_scenario(Scenario("busy", title=f"{who} {n}"), author=who, after=n)
                made.append((version, f"{who} {n}"))
            except HistoryConflictError as error:
                refused.append(str(error))

    threads = [
        threading.Thread(target=change, args=(twin, who)) for twin, who in zip(twins, ("ann", "bob"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(version for version, _ in made) == list(range(1, len(made) + 1))
    assert len(made) + len(refused) == 6
    for twin in twins:
        for version, title in made:
            assert twin.saved_scenario("busy", version=version).title == title
    # Without a version, both are written, one after the other.
    before = max(version for version, _ in made)
    threads = [
        threading.Thread(target=twin.save_scenario, args=(Scenario("busy"),), kwargs={"author": "eve"})
        for twin in twins
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert twins[0].definitions("scenario")["version"].tolist() == [before + 2]


def test_definitions_that_do_not_fit_are_refused_and_nothing_is_written(folder: Path) -> None:
    twin = tl.open(folder)
    entries = twin.ledger.journal.position()
    fine = kpi_of(twin, "4")
    with pytest.raises(SchemaError, match="author"):
        twin.define_kpi("high", fine, author=" ")
    with pytest.raises(SchemaError, match="nowhere"):
        twin.define_kpi("high", {**fine, "on": "nowhere"}, author="ann")
    with pytest.raises(SchemaError, match="unknown key 'formla'"):
        twin.define_kpi("high", {"on": fine["on"], "formla": "1"}, author="ann")
    with pytest.raises(SchemaError, match="High KPI"):
        twin.define_kpi("High KPI", fine, author="ann")
    with pytest.raises(UnknownTermError, match="no saved scenario 'busy'"):
        twin.saved_scenario("busy")
    assert twin.ledger.journal.position() == entries
