"""A plan: figures that grow, money from stated prices, what breaks first, and how it is shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model.storage.price import StorageRule
from twinlab.twin.scaling.costs import STEPS, StepCost
from twinlab.twin.scaling.forecast import Densities, Forecast
from twinlab.twin.scaling.limits import limits_of
from twinlab.twin.scaling.machine import Machine
from twinlab.twin.scaling.money import Prices
from twinlab.twin.scaling.plan import ScalePlan
from twinlab.twin.scaling.workload import Stream, Workload

COSTS = {step: StepCost({"once": 0.02, **dict.fromkeys(drivers, 1e-8)}, 0.2, 4) for step, drivers in STEPS.items()} | {
    "rebuild": StepCost({"once": 0.1, "cells": 3e-7, "series": 0.0}, 0.2, 4)
}
FORECAST = Forecast(
    Workload((Stream("truck", 60 * 10**9, 5, 200),)), COSTS, Densities(6.5, 0.5, 0.2, 20.0, "history"),
    Machine(4, 16e9, 100e9), "pilot of 1 cell, 1 s on this machine",
)  # fmt: skip
PRICED = StorageRule.model_validate({
    "price": "0.10 EUR/GB/month",
    "unit_prices": {
        "put": "0.005 EUR/1000 requests", "get": "0.0004 EUR/1000 requests", "core": "0.04 EUR/core hour", "egress": "90 EUR/TB",
    },
})  # fmt: skip


def plan(rule: StorageRule | None = None, forecast: Forecast = FORECAST) -> ScalePlan:
    return ScalePlan("fleet", forecast, Prices.of(rule), (1.0, 10.0, 1000.0))


@given(st.floats(1, 1e4), st.floats(1, 100))
def test_no_figure_falls_as_a_twin_grows(factor: float, more: float) -> None:
    small, large = (plan(PRICED).amounts(one) for one in (factor, factor * more))
    for name, one in small.items():
        assert one.low <= one.value <= one.high, name
        assert one.value <= large[name].value * (1 + 1e-9), name
        assert one.source, name


def test_bytes_and_seconds_are_counts_times_densities_and_rates() -> None:
    cells = 200 * 5 * 1440 * 365
    found = plan().amounts(1)
    assert found["points a year"].value == cells
    assert found["ledger"].value == pytest.approx(6.5 * cells)
    assert found["rebuild the year"].value == pytest.approx(0.1 + 3e-7 * cells)
    assert FORECAST.bytes(10) == pytest.approx(7.2 * cells * 10)


def test_money_is_amounts_times_prices() -> None:
    found = plan(PRICED).amounts(1)
    assert found["storage a month"].value == pytest.approx(FORECAST.bytes(1) / 1e9 * 0.10)
    assert found["cores a month"].value == pytest.approx(
        FORECAST.days_work(FORECAST.workload)[0] * 30.4375 / 3600 * 0.04
    )
    assert found["cores a month"].source == "storage.unit_prices.core: 0.04 EUR/core hour"
    assert "energy a month" not in found  # the price of a core includes it
    parts = [one.value for name, one in found.items() if name.endswith(" a month") and "all" not in name]
    assert plan(PRICED).cost(1).value == pytest.approx(sum(parts))


def test_without_prices_the_keys_that_lack_are_named() -> None:
    bare = plan()
    assert bare.amounts(1)["energy a month"].source.startswith("default: 0.2872 EUR/kWh")
    assert "storage.price, storage.unit_prices.put" in str(bare)
    with pytest.raises(SchemaError, match="expected a price of storage"):
        bare.cost(1)


def test_two_currencies_are_refused() -> None:
    rule = StorageRule.model_validate({
        "objects": {"url": "s3://a/b", "price": "0.02 USD/GB/month"}, "unit_prices": {"core": "1 EUR/core hour"},
    })  # fmt: skip
    with pytest.raises(SchemaError, match="one currency, got EUR and USD"):
        Prices.of(rule)


def test_the_smallest_factor_at_which_a_limit_is_passed_is_found() -> None:
    disk = next(one for one in limits_of(FORECAST) if one.name.startswith("local disk"))
    at = disk.breaks_at()
    assert at is not None
    assert at == pytest.approx(100e9 / FORECAST.bytes(1), rel=0.05)
    assert disk.demand(at) > disk.capacity >= disk.demand(at / 1.05)
    order = [one.breaks_at() or 2e6 for one in limits_of(FORECAST)]
    assert order == sorted(order)


def test_a_disk_that_is_too_small_breaks_today() -> None:
    full = replace(FORECAST, machine=Machine(4, 0.0, 1e9))
    assert plan(forecast=full).first.startswith(
        "Breaks first, today: local disk after a year (3.8 GB needed, 1 GB there)"
    )
    assert not any("memory" in one.name for one in limits_of(full))  # isn't known


def test_a_plan_is_text_table_html_and_json() -> None:
    shown = plan(PRICED)
    text, page, body = str(shown), shown._repr_html_(), json.loads(shown.to_json())
    assert "525,600,000" in text
    assert "1,000 x" in text
    assert "What to do then" in text
    assert "<table>" in page
    assert body["sizes"]["10"]["ledger"]["value"] == pytest.approx(FORECAST.workload.cells_a_day * 365 * 65)
    assert body["limits"][0]["name"] in shown.first
    table = shown.table()
    low, value, high = (float(str(table["1", part]["ledger"])) for part in ("low", "value", "high"))
    assert low < value < high
    assert list(shown.limit_table().columns) == ["unit", "capacity", "today", "breaks_at", "assumption", "advice"]
