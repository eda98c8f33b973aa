"""Kinds of KPIs through the registry: those that twinlab has conform, and one that a package adds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import kpi
from twinlab.events.kpis.definitions import definition_of
from twinlab.events.kpis.registry import KPI_KINDS
from twinlab.model import Kpi, KpiKind, Options, TwinModel, parse_model
from twinlab.model.flags import Flag
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
    definition = {"on": given["on"], name: given.get("options", {})}
    check_kpi(definition, twin=twin)
    assert kpi(twin, Kpi.model_validate(definition))["value"].notnull().any()


def test_a_kind_without_options_is_used_directly(twin: FakeTwin) -> None:
    found = kpi(twin, "cold_chain", on="cold_room", by="station", every="1d")
    assert found.attrs["title"] == "Cold-chain compliance"
    assert found.attrs["units"] == "%"
    assert found.sizes == {"time": 4, "station": 3}


def test_a_kind_that_is_used_directly_says_what_it_needs(twin: FakeTwin) -> None:
    with pytest.raises(
        SchemaError, match=r"expected on= with the asset type that the KPI 'cold_chain' \(Cold-chain compliance\) is of"
    ):
        kpi(twin, "cold_chain")
    with pytest.raises(SchemaError) as caught:
        kpi(twin, "uptime", on="station")
    assert str(caught.value) == (
        "the KPI 'uptime' (Uptime: Share of time in which the asset was in one of the states that count as up) needs the options "
        "signal and states; define it in `kpis:` of twin.yaml, such as station_uptime: {on: station, uptime: {signal: …, states: …}}"
    )
    with pytest.raises(SchemaError, match="'delay' \\(Delay\\) is of an event type, got on='station'; known: .*trip"):
        kpi(twin, "delay", on="station")
    with pytest.raises(
        UnknownTermError, match="there is no KPI 'cold_chian' in twin.yaml, nor such a kind; did you mean"
    ):
        kpi(twin, "cold_chian", on="cold_room")


def test_a_kpi_of_the_twin_on_another_type_says_what_it_is_about() -> None:
    kinds = {
        "door_uptime": {"on": "cold_room", "uptime": {"signal": "door", "states": ["closed"]}, "title": "Doors shut"},
        "uptime": {"on": "van", "definition": "Vans that move.", "uptime": {"signal": "moving", "states": ["yes"]}},
    }
    model = TwinModel.model_validate(
        {
            "twin": "x",
            "asset_types": {
                "cold_room": {"signals": {"door": {"kind": "state", "states": {0: "closed", 1: "open"}}}},
                "van": {"signals": {"moving": {"kind": "state", "states": {0: "no", 1: "yes"}}}},
                "hub": {},
            },
            "kpis": kinds,
        }
    )
    assert definition_of(model, "uptime", None)[0] == definition_of(model, "uptime", "van")[0] == "uptime"
    # Of the kind "uptime" there is one on cold rooms.
    assert definition_of(model, "uptime", "cold_room")[1].title == "Doors shut"
    with pytest.raises(SchemaError) as caught:
        definition_of(model, "uptime", "hub")
    assert str(caught.value) == (
        "the KPI 'uptime' of twin.yaml (Uptime: Vans that move) is on 'van', and others of its kind on cold_room ('door_uptime'), got "
        "on='hub'; leave `on` out, or define one in `kpis:` of twin.yaml, such as hub_uptime: {on: hub, uptime: {signal: …, states: …}}"
    )
    with pytest.raises(SchemaError, match="which is no asset type; known: cold_room, hub, van; leave `on` out"):
        definition_of(model, "uptime", "leg")
    model.kpis["more"] = model.kpis["door_uptime"]
    with pytest.raises(SchemaError, match="name one of door_uptime, more"):
        definition_of(model, "uptime", "cold_room")


def test_utilisation_is_at_most_all_of_the_time_whatever_is_missing() -> None:
    stated = {"signal": "mode", "busy": ["drives"], "unavailable": ["charges"]}
    states = {0: "drives", 1: "waits", 2: "charges"}
    text = {
        "twin": "x",
        "origin": "2026-01-01",
        "asset_types": {"lift": {"signals": {"mode": {"kind": "state", "states": states, "cadence": "1h"}}}},
    }
    time = np.datetime64("2026-01-01", "ns") + np.arange(24) * np.timedelta64(1, "h")
    mode = np.array([0.0] * 4 + [2.0] * 4 + [np.nan] * 16)[:, None]
    flags = np.where(np.isnan(mode), Flag.MISSING, Flag.PASS).astype("uint8")
    history = xr.Dataset(
        {"mode": (("time", "asset"), mode), "mode_qc": (("time", "asset"), flags)},
        coords={"time": time, "asset": np.array(["L"], dtype=object)},
    )
    twin = FakeTwin(
        TwinModel.model_validate(text), histories={"lift": history}, assets={"lift": pd.DataFrame(index=["L"])}
    )
    kpi_of = Kpi.model_validate({"on": "lift", "utilisation": stated})
    found = kpi(twin, kpi_of)
    assert (found.value.item(), found.low.item(), found.high.item()) == (100.0, 20.0, 100.0)
    share = kpi(twin, kpi_of.model_copy(update={"unit": "1"}))
    assert (share.low.item(), share.high.item()) == (0.2, 1.0)
    wrong = Kpi.model_validate({"on": "lift", "utilisation": {**stated, "unavailable": ["drives"]}})
    with pytest.raises(SchemaError, match="got 'drives' in both"):
        kpi(twin, wrong)


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
