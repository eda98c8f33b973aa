"""The forecast of a twin's storage at its present rate, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twinlab._html import html
from twinlab.model.storage.price import MONTH_DAYS, Money, Price, StorageRule
from twinlab.twin.report import format_bytes

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.history.retention.storage_use import StorageUse

__all__ = ["HORIZONS", "StorageForecast", "money_text"]

#: Horizon -> its days, and the days of data that its forecast needs.
HORIZONS: Final[dict[str, tuple[float, float]]] = {
    "1 month": (MONTH_DAYS, 7.0),
    "1 year": (12 * MONTH_DAYS, 28.0),
    "5 years": (60 * MONTH_DAYS, 90.0),
}
_TABLE = """\
<div>{{ line }}<table><tr><th></th>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>\
{% for name, cells in rows %}<tr><td>{{ name }}</td>\
{% for cell in cells %}<td style="text-align:right">{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table></div>"""


@dataclass(frozen=True)
class StorageForecast:
    """What a twin's storage amounts to now, and in 1 month, 1 year and 5 years at the mean rate of the data that it has.

    Earlier states of the history aren't counted as growth: housekeeping removes them after a day.
    """

    use: StorageUse
    """What it uses now."""
    storage: StorageRule | None = None
    """``storage:`` in ``twin.yaml``."""

    @property
    def price(self) -> Price | None:
        """The price of the twin's folder, if ``twin.yaml`` has one."""
        prices = None if self.storage is None else self.storage.prices
        return None if prices is None else prices[0]

    def bytes_in(self, horizon: str) -> dict[str, float] | None:
        """Return the bytes of each part at the end of a horizon; None if the twin has too few days of data.

        Parameters
        ----------
        horizon : str
            A key of `HORIZONS`, or "now".
        """
        use = self.use
        now = {
            "ledger": float(use.ledger + use.files),
            "history": float(use.cells + use.tables),
            "rollups": float(use.rollups),
            "other": float(use.other),
        }
        if horizon == "now":
            return now
        days, least = HORIZONS[horizon]
        if use.days < least:
            return None
        grown = days / use.days
        return {part: size * (1 + grown) if part != "other" else size for part, size in now.items()}

    def cost_in(self, horizon: str) -> Money | None:
        """Return what the bytes at the end of a horizon cost a month; None without a price, or with too few days of data."""
        found = self.bytes_in(horizon)
        return None if found is None or self.price is None else self.price.of(sum(found.values()))

    def table(self) -> pd.DataFrame:
        """Return bytes by part (rows) now and at each horizon (columns), with the cost a month; NaN where there are too few days of data."""
        import pandas as pd  # noqa: PLC0415

        columns = {horizon: self.bytes_in(horizon) or {} for horizon in ("now", *HORIZONS)}
        frame = pd.DataFrame(columns, index=["ledger", "history", "rollups", "other"], dtype="float64")
        frame.loc["total"] = frame.sum(skipna=False)
        own = self.price
        if own is not None:
            frame.loc[f"{own.currency}/month"] = frame.loc["total"] * own.amount / 1e9
        return frame

    @property
    def line(self) -> str:
        """The forecast in one line."""
        now = self.bytes_in("now") or {}
        parts = ", ".join(f"{name} {format_bytes(now[name])}" for name in ("ledger", "history", "rollups"))
        text = f"storage: {self._amount('now')} ({parts}"
        text += f", earlier states and metadata {format_bytes(now['other'])})" if now["other"] else ")"
        known = [horizon for horizon in HORIZONS if self.bytes_in(horizon) is not None]
        lacking = [horizon for horizon in HORIZONS if horizon not in known]
        if known:
            text += "; at the mean rate of " + f"{self.use.days:,.0f} days: "
            text += ", ".join(f"{self._amount(horizon)} in {horizon}" for horizon in known)
        if lacking:
            have = f"{self.use.days:,.1f} days" if self.use.days else "no data"
            names = " and ".join([", ".join(lacking[:-1])] * (len(lacking) > 1) + lacking[-1:])
            text += f"; too few days of data for {names} ({have}, {HORIZONS[lacking[0]][1]:.0f} needed)"
        return text if self.price is not None else f"{text}; without a price (storage: {{price: …}} in twin.yaml)"

    def _amount(self, horizon: str) -> str:
        size, cost = sum((self.bytes_in(horizon) or {}).values()), self.cost_in(horizon)
        return format_bytes(size) + ("" if cost is None else f" = {money_text(cost)}")

    def __str__(self) -> str:
        return self.line

    __repr__ = __str__

    def _repr_html_(self) -> str:
        frame = self.table()
        rows = [
            (name, [_cell(value, priced="/" in name) for value in values])
            for name, values in zip(map(str, frame.index), frame.to_numpy().tolist(), strict=True)
        ]
        return str(html(_TABLE, line=self.line, columns=list(frame.columns), rows=rows))


def money_text(cost: Money) -> str:
    """Return an amount a month with at least two digits that aren't zero.

    >>> money_text(Money(0.00123, "EUR")), money_text(Money(1234.5, "EUR"))
    ('0.0012 EUR/month', '1,234.50 EUR/month')
    """
    if 0 < cost.amount < 0.1:
        return f"{float(f'{cost.amount:.2g}'):.10f}".rstrip("0") + f" {cost.currency}/month"
    return str(cost)


def _cell(value: float, *, priced: bool) -> str:
    if value != value:  # noqa: PLR0124  (NaN)
        return "too few days"
    return f"{value:,.4g}" if priced else format_bytes(value)
