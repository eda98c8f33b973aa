"""Prices of requests, traffic, cores and energy."""

from __future__ import annotations

import pytest

from twinlab.model.storage.unit_prices import UnitPrice, UnitPrices
from twinlab.model.twinmodel import TwinModel


def test_prices_are_of_one_unit() -> None:
    assert UnitPrice.parse("0.04 EUR/core hour", "core second").amount == pytest.approx(0.04 / 3600)
    assert UnitPrice.parse("90 USD/TB", "byte").amount == pytest.approx(UnitPrice.parse("0.09 USD/GB", "byte").amount)
    found = UnitPrices(put="5 EUR/1000000 requests", energy="0.28 EUR/kWh").parsed
    assert {key: price.amount for key, price in found.items()} == pytest.approx({"put": 5e-6, "energy": 0.28 / 3.6e6})


@pytest.mark.parametrize(
    "keys", [{"put": "0.005 EUR"}, {"put": "1 EUR/GB"}, {"core": "1/core hour"}, {"gets": "1 EUR/request"}]
)
def test_other_texts_are_refused(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"expected a price such as|gets"):
        TwinModel.model_validate({"twin": "a", "storage": {"unit_prices": keys}})


def test_all_prices_have_one_currency() -> None:
    prices = {"price": "1 EUR/GB/month", "unit_prices": {"put": "1 USD/request"}}
    with pytest.raises(ValueError, match=r"storage.unit_prices.put: expected a price in EUR"):
        TwinModel.model_validate({"twin": "a", "storage": prices})
