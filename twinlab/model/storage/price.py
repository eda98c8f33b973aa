"""What storage costs, such as ``0.02 EUR/GB/month``, and how cells are stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from twinlab.model.basics import Model
from twinlab.model.storage.catalogues import CatalogueStore
from twinlab.model.storage.unit_prices import UnitPrices

__all__ = ["MONTH_DAYS", "Codec", "Money", "ObjectStore", "Price", "StorageRule"]

#: Codecs of cells, each without loss: a method and its level.
Codec = Literal["pcodec 4", "pcodec 8", "pcodec 12", "zstd 3", "zstd 19"]

#: Days of a month, and months of a year are twelve of them: 365.25 days.
MONTH_DAYS = 365.25 / 12
_MONEY = re.compile(r"\s*(?P<amount>\d+(?:\.\d+)?)\s*(?P<currency>[A-Z]{3}|[€$£])\s*/\s*(?P<rest>.+?)\s*")
_MONTHS = {"month": 1.0, "year": 12.0}
_GIGABYTES = {"GB": 1.0, "TB": 1000.0}


@dataclass(frozen=True)
class Money:
    """An amount a month, such as a budget.

    >>> Money.parse("240 EUR/year")
    Money(amount=20.0, currency='EUR')
    """

    amount: float
    """A month."""
    currency: str

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read an amount a month or a year.

        Raises
        ------
        ValueError
            If the text isn't one.
        """
        found = _MONEY.fullmatch(text)
        if found is None or found["rest"] not in _MONTHS:
            msg = f"expected an amount a month or a year such as '20 EUR/month', got {text!r}"
            raise ValueError(msg)
        return cls(float(found["amount"]) / _MONTHS[found["rest"]], found["currency"])

    def __str__(self) -> str:
        return f"{self.amount:,.2f} {self.currency}/month"


@dataclass(frozen=True)
class Price:
    """What a gigabyte (10**9 bytes) costs a month.

    >>> Price.parse("20 EUR/TB/month").of(5_000_000_000)
    Money(amount=0.1, currency='EUR')
    """

    amount: float
    """A gigabyte and month."""
    currency: str

    @classmethod
    def parse(cls, text: str) -> Price:
        """Read a price for a GB or TB, a month or a year.

        Raises
        ------
        ValueError
            If the text isn't one.
        """
        found = _MONEY.fullmatch(text)
        size, _, time = (found["rest"] if found is not None else "").replace(" ", "").partition("/")
        if found is None or size not in _GIGABYTES or time not in _MONTHS:
            msg = f"expected a price such as '0.02 EUR/GB/month' or '240 EUR/TB/year', got {text!r}"
            raise ValueError(msg)
        return cls(float(found["amount"]) / _GIGABYTES[size] / _MONTHS[time], found["currency"])

    def of(self, size: float) -> Money:
        """Return what so many bytes cost a month."""
        return Money(self.amount * size / 1e9, self.currency)


def _priced(text: str) -> str:
    Price.parse(text)
    return text


def _addressed(text: str) -> str:
    if not text.startswith(("s3://", "gs://", "az://")) or "@" in text:
        msg = f"expected an address such as s3://bucket/prefix (or gs://, az://), without credentials, got {text!r}"
        raise ValueError(msg)
    return text


class ObjectStore(Model):
    """Where a twin is pushed: ``storage.objects`` in ``twin.yaml``. Credentials are never here."""

    url: Annotated[str, AfterValidator(_addressed)]
    """``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``."""
    endpoint: str | None = None
    """URL of the store's service; by default that of the environment or the AWS profile, else Amazon's."""
    region: str | None = None
    """Region of the store, such as ``eu-central-1``; by default that of the environment or the AWS profile."""
    price: Annotated[str, AfterValidator(_priced)] | None = None
    """Price of the store: "0.02 EUR/GB/month"; a push says what the twin costs there."""


class StorageRule(Model):
    """What the twin's storage costs, and how its cells are stored: ``storage:`` in ``twin.yaml``."""

    price: Annotated[str, AfterValidator(_priced)] | None = None
    """Price of the storage of the twin's folder: "0.02 EUR/GB/month"."""
    archive_price: Annotated[str, AfterValidator(_priced)] | None = None
    """Price of the storage of the ledger's archive, in the same currency; that of the folder by default."""
    objects: ObjectStore | None = None
    """The object store to which ``twinlab push`` copies the twin."""
    catalogues: CatalogueStore | None = None
    """The database in which journal, logins and plans are if several servers share them; by default they are files."""
    unit_prices: UnitPrices | None = None
    """Prices of requests, traffic, processor time and energy, for ``twinlab plan``."""
    codec: Codec | None = None
    """Codec of compacted cells, which ``twinlab compact --apply-retention`` applies; by default it stays as it is."""

    @property
    def prices(self) -> tuple[Price, Price] | None:
        """The prices of the folder and of the archive; None without a price."""
        if self.price is None:
            return None
        own = Price.parse(self.price)
        return own, own if self.archive_price is None else Price.parse(self.archive_price)

    def faults(self) -> list[str]:
        """Return what is wrong with the prices taken together."""
        return [*self._faults_of_storage(), *self._faults_of_units()]

    def _faults_of_units(self) -> list[str]:
        if self.unit_prices is None:
            return []
        stated = [(f"unit_prices.{key}", price.currency, price.text) for key, price in self.unit_prices.parsed.items()]
        own = self.prices[0].currency if self.prices is not None else stated[0][1] if stated else ""
        return [
            f"storage.{key}: expected a price in {own} as the other prices, got {text!r}"
            for key, currency, text in stated
            if currency != own
        ]

    def _faults_of_storage(self) -> list[str]:
        if self.prices is None:
            lacking = (
                "storage.archive_price: expected storage.price, too, since the rest of the twin isn't in the archive"
            )
            return [] if self.archive_price is None else [lacking]
        own, archive = self.prices
        if own.currency == archive.currency:
            return []
        return [
            f"storage.archive_price: expected a price in {own.currency} as storage.price, got {self.archive_price!r}"
        ]
