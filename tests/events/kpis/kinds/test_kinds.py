"""Kinds of KPIs through the registry: those that twinlab has conform, and one that a package adds."""

from __future__ import annotations

import numpy as np
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import kpi
from twinlab.events.kpis.registry import KPI_KINDS
from twinlab.model import KpiKind, Options, parse_model
from twinlab.testing import FakeTwin, check_kpi

KINDS = {
    "cold_chain": {"on": "cold_room"},
    "delay": {"on": "delivery", "options": {"statistic": "mean"}},
    "dwell": {"on": "delivery", "options": {"quantile": 0.5}},
    "energy_per_event": {
        "on": "station",
        "options": {"event": "trip", "signal": "fan", "states": ["running"], "power": "1.5 kW"},
    },
    "mean_kinetic_temperature": {"on": "cold_room"},
    "on_time_delivery": {"on": "delivery"},
    "uptime": {"on": "station", "options": {"signal": "fan", "states": ["running"]}},
    "utilisation": {"on": "cold_room", "options": {"signal": "door", "busy": ["open"], "unavailable": []}},
}


@pytest.fixture(scope="module")
def twin() -> FakeTwin:
    return FakeTwin.example(days=4, trips=200)


def test_every_kind_is_tried_here() -> None:
    assert sorted(KINDS) == sorted(KPI_KINDS.built_in())


@pytest.mark.parametrize("name", KINDS)
def test_a_built_in_kind_conforms(name: str, twin: FakeTwin) -> None:
    given = KINDS[name]
    check_kpi({"on": given["on"], name: given.get("options", {})}, twin=twin)


def test_a_kind_without_options_is_used_directly(twin: FakeTwin) -> None:
    found = kpi(twin, "cold_chain", on="cold_room", by="station", every="1d")
    assert found.attrs["title"] == "Cold-chain compliance"
    assert found.attrs["units"] == "%"
    assert found.sizes == {"time": 4, "station": 3}


def test_a_kind_that_is_used_directly_says_what_it_needs(twin: FakeTwin) -> None:
    with pytest.raises(SchemaError, match="expected on= with the asset type that the KPI 'cold_chain' is of"):
        kpi(twin, "cold_chain")
    with pytest.raises(SchemaError, match=r"needs the option 'signal'.*Define the KPI with its options in `kpis:`"):
        kpi(twin, "uptime", on="station")
    with pytest.raises(
        UnknownTermError, match="there is no KPI 'cold_chian' in twin.yaml, nor such a kind; did you mean"
    ):
        kpi(twin, "cold_chian", on="cold_room")


class NightOptions(Options):
    """Options of the KPI of a package."""

    below: str
    """Wind that counts as calm."""


CALM = KpiKind(
    "calm", "Calm", "Share of time with little wind.",
    lambda options, name, spec: f"time_share(wind_speed < {options.below})", "%", NightOptions,
)  # fmt: skip


def test_an_added_kind_is_read_from_twin_yaml_and_computed(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KPI_KINDS, "_added", {"calm": None})
    monkeypatch.setitem(KPI_KINDS._loaded, "calm", CALM)
    check_kpi({"on": "station", "calm": {"below": "5 m/s"}}, twin=twin)
    text = (
        "twin: x\nasset_types: {station: {signals: {wind_speed: {unit: mph, resolution: 0.1}}}}\n"
        "kpis:\n  quiet: {on: station, calm: {below: 5 m/s}}\n"
    )
    assert parse_model(text).kpis["quiet"].kind is CALM
    with pytest.raises(SchemaError, match=r"twin.yaml:4: kpis.quiet.calm.belwo: .*did you mean 'below'"):
        parse_model(text.replace("below", "belwo"))
    with pytest.raises(UnknownTermError, match=r"kpis.quiet.calm: can't convert 'kg' to 'mph'"):
        parse_model(text.replace("m/s", "kg"))


def test_a_kpi_whose_values_leave_its_bounds_does_not_conform(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*args, **kwargs):
        found = kpi(*args, **kwargs)
        return found.assign(high=found.high * 0)

    monkeypatch.setattr("twinlab.testing.kpi_checks.compute", wrong)
    with pytest.raises(AssertionError, match="outside its bounds"):
        check_kpi({"on": "cold_room", "cold_chain": {}}, twin=twin)
    with pytest.raises(AssertionError, match="no definition in words"):
        check_kpi({"on": "cold_room", "formula": "time_mean(temperature)"}, twin=twin)
    assert np.isfinite(kpi(twin, "cold_chain", on="cold_room").value).any()
