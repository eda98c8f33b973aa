"""Prices, budgets and the keys ``storage:`` and ``retention:``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.history.build.mapping_context import content_hash
from twinlab.model.storage.price import Money, Price
from twinlab.model.twinmodel import TwinModel


@given(st.integers(0, 10**6), st.sampled_from(["EUR", "USD", "€"]))
def test_a_price_of_a_terabyte_or_a_year_is_the_same_price(cents: int, currency: str) -> None:
    text = f"{cents / 100:.2f} {currency}"
    month = Price.parse(f"{text}/GB/month")
    assert Price.parse(f"{text}/GB/year").amount == pytest.approx(month.amount / 12)
    assert Price.parse(f"{text}/TB/month").amount == pytest.approx(month.amount / 1000)
    assert month.of(2e9) == Money(2 * month.amount, currency)


@pytest.mark.parametrize(
    "text", ["", "0.02", "0.02 EUR", "0.02 EUR/month", "0.02 EUR/GB", "-1 EUR/GB/month", "1 euro/GB/month"]
)
def test_another_text_is_no_price_and_the_message_shows_one(text: str) -> None:
    with pytest.raises(ValueError, match="0.02 EUR/GB/month"):
        Price.parse(text)


def test_a_budget_is_an_amount_a_month() -> None:
    assert Money.parse("240 EUR/year") == Money.parse("20 EUR/month")
    with pytest.raises(ValueError, match="20 EUR/month"):
        Money.parse("20 EUR")


def test_neither_key_changes_the_hash_of_a_model() -> None:
    plain = TwinModel(twin="pilot")
    other = TwinModel.model_validate(
        {
            "twin": "pilot",
            "storage": {"price": "0.02 EUR/GB/month", "codec": "zstd 19"},
            "retention": {"full_rate": "90d"},
        }
    )
    assert content_hash(plain) == content_hash(other)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"storage": {"archive_price": "1 USD/GB/month"}}, "expected storage.price, too"),
        ({"storage": {"codec": "gzip"}}, "pcodec 8"),
        ({"storage": {"price": "2 EUR/GB/month", "archive_price": "1 USD/GB/month"}}, "a price in EUR"),
        ({"retention": {"full_rate": "1d"}}, "at least 7d"),
        ({"retention": {"full_rate": "90d", "keep": ["all"]}}, "events"),
        ({"retention": {"full_rate": "90d", "resolution": 1}}, "greater than or equal to 2"),
    ],
)
def test_keys_that_do_not_fit_are_refused(keys: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TwinModel.model_validate({"twin": "pilot", **keys})
