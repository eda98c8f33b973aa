"""Text, symbols and colours of exceptions, places and durations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from twinlab.explore.charts.scale import compact_number, pretty_unit
from twinlab.languages import date_text, local_number, mark, tr, trn
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import first_comparison

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Shared
    from twinlab.model.twinmodel import TwinModel

__all__ = [
    "SEVERITY_COLORS",
    "SEVERITY_NAMES",
    "SEVERITY_SYMBOLS",
    "LabelsByType",
    "age_text",
    "measure_text",
    "near_text",
    "records",
    "severity_text",
    "time_text",
    "value_and_limit",
    "via_text",
]

#: A shape for each severity beside its name: never colour alone.
SEVERITY_SYMBOLS: Mapping[str, str] = MappingProxyType({"high": "▲", "medium": "◆", "low": "●"})
#: Okabe-Ito's vermilion, orange and blue.
SEVERITY_COLORS: Mapping[str, str] = MappingProxyType({"high": "#D55E00", "medium": "#E69F00", "low": "#56B4E9"})

#: Severity -> its name on a page.
SEVERITY_NAMES: Mapping[str, str] = MappingProxyType(
    {"high": mark("high"), "medium": mark("medium"), "low": mark("low")}
)

_MONTH_DAYS = 365.25 / 12


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as mappings of its columns.

    >>> records(pd.DataFrame({"a": [1]}))
    [{'a': 1}]
    """
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def age_text(age: Any) -> str:
    """Return a duration in its two largest units; from 100 days on in years and months, rounded.

    >>> age_text(pd.Timedelta("0 days 02:05:31")), age_text(pd.Timedelta(days=3, hours=4)), age_text(pd.NaT)
    ('2 h 5 min', '3 d 4 h', '–')
    >>> age_text(pd.Timedelta(days=237)), age_text(pd.Timedelta(days=366)), age_text(pd.Timedelta(days=4714))
    ('8 months', '1 year', '12 years 11 months')
    """
    if pd.isna(age):
        return "–"
    seconds = max(0, int(age.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days > 99:
        years, months = divmod(round(days / _MONTH_DAYS), 12)
        texts = trn("{count:,} year", "{count:,} years", years), trn("{count} month", "{count} months", months)
        return " ".join(text for text, count in zip(texts, (years, months), strict=True) if count)
    if days:
        return tr("{days} d {hours} h", days=days, hours=hours) if hours else tr("{days} d", days=days)
    if hours:
        return tr("{hours} h {minutes} min", hours=hours, minutes=minutes) if minutes else f"{hours} h"
    return tr("{minutes} min", minutes=minutes) if minutes else f"{seconds} s"


def severity_text(severity: str) -> str:
    """Return the symbol and the name of a severity.

    >>> severity_text("high")
    '▲ high'
    """
    return f"{SEVERITY_SYMBOLS.get(severity, '')} {tr(SEVERITY_NAMES.get(severity, severity))}"


def measure_text(value: Any, unit: object) -> str:
    """Return a value with the display form of its unit; "" for no value.

    >>> measure_text(9.25, "degC"), measure_text("open", ""), measure_text(float("nan"), "km"), measure_text(90.0, "min")
    ('9.25 °C', 'open', '', '1 h 30 min')
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if unit == "min" and isinstance(value, (int, float)):
        return age_text(pd.Timedelta(minutes=float(value)))
    text = compact_number(float(value)) if isinstance(value, (int, float)) else str(value)
    shown = pretty_unit(str(unit)) if isinstance(unit, str) else ""
    return f"{text} {shown}".rstrip()


def value_and_limit(row: Mapping[str, object], model: TwinModel) -> dict[str, str]:
    """Return the value and the limit of an exception as text with units; a state by its name, without a limit.

    Parameters
    ----------
    row : mapping
        One row of `twinlab.events.exceptions`.
    model : TwinModel
        States the rule of the exception and the states of its signal.
    """
    rule, kind = model.rules.get(str(row["rule"])), model.asset_types.get(str(row["asset_type"]))
    if rule is not None and kind is not None and rule.when is not None:
        first = first_comparison(rule.condition(model))
        compared = None if first is None else first.left
        states = kind.signals[compared.name].states if isinstance(compared, bound.Signal) else None
        if states is not None:
            value = row["value"]
            known = isinstance(value, (int, float)) and not pd.isna(value)
            return {"value": states.get(int(value), "") if known else "", "limit": ""}  # type: ignore[call-overload]
    return {name: measure_text(row[name], row["unit"]) for name in ("value", "limit")}


def time_text(when: Any) -> str:
    """Return an instant to the minute, "–" for none.

    >>> time_text("2026-01-31T14:02:05")
    '2026-01-31 14:02'
    """
    stamp: Any = pd.Timestamp(when)
    return "–" if pd.isna(stamp) else date_text(stamp, "%Y-%m-%d %H:%M")


class LabelsByType(Mapping[str, Mapping[str, str]]):
    """Asset type -> (asset -> display name), each read at first use."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def __getitem__(self, kind: str) -> Mapping[str, str]:
        if kind not in self._shared.twin.model.asset_types:
            raise KeyError(kind)
        return self._shared.labels(kind)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shared.twin.model.asset_types)

    def __len__(self) -> int:
        return len(self._shared.twin.model.asset_types)


#: Largest distance, km, at which a fixed place describes a position.
_NEAR_KM = 30.0


def near_text(
    near: tuple[str, str, float] | None,
    position: tuple[float, float] | None,
    labels: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the position of an asset outside of others: near a fixed place, else in degrees; "" if unknown.

    >>> near_text(("hub", "H2", 12.3), (52.1, 13.2), {"hub": {"H2": "North (H2)"}})
    'near North (H2), 12 km'
    >>> near_text(("hub", "H2", 80.0), (52.1, 13.2), {})
    '52.100°, 13.200°'
    """
    if near is not None and near[2] <= _NEAR_KM:
        kind, asset, far = near
        return (
            tr("near {asset}, {far:.0f} km", asset=labels.get(kind, {}).get(asset, asset), far=far)
            if far >= 1
            else tr("at {asset}", asset=labels.get(kind, {}).get(asset, asset))
        )
    return (
        ""
        if position is None
        else local_number(f"{position[0]:.3f}") + "°, " + local_number(f"{position[1]:.3f}") + "°"
    )


def via_text(via: str, labels: Mapping[str, Mapping[str, str]]) -> str:
    """Return a chain of containing assets as text, from ``type/asset > type/asset``.

    >>> via_text("truck/T1 > hub/H2", {"hub": {"H2": "North (H2)"}})
    'truck T1 › North (H2)'
    """
    parts = []
    for step in filter(None, via.split(" > ")):
        kind, _, asset = step.partition("/")
        label = labels.get(kind, {}).get(asset, asset)
        parts.append(label if label != asset else f"{kind.replace('_', ' ')} {asset}")
    return " › ".join(parts)
