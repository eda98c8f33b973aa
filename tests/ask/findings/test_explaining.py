"""Findings with planted changes, compared with pandas."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from twinlab.ask import explain
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import episodes
from twinlab.testing import FakeTwin

DAYS: dict[str, Any] = {"start": "2026-01-03", "stop": "2026-01-04"}
EXAMPLE: Any = FakeTwin.example(days=4, trips=10)


class Planted:
    """The example, with values that were changed from the third day on."""

    def __init__(self, change: Callable[[xr.Dataset], object]) -> None:
        self.change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(EXAMPLE, name)

    def history(self, asset_type: str, **how: Any) -> xr.Dataset:
        data = EXAMPLE.history(asset_type, **how)
        if asset_type != "station" or "temperature" not in data or "step" in how:
            return data
        data = data.copy(deep=True)
        self.change(data)
        return data


def planted(change: Callable[[xr.Dataset], object]) -> Any:
    return Planted(change)


def after(data: xr.Dataset, first: str = "2026-01-03") -> NDArray[np.bool_]:
    return np.asarray(data["time"].values >= np.datetime64(first))


def warmer(data: xr.Dataset, by: float = 7.0, asset: str = "WEST") -> None:
    if asset in data["asset"].values:
        data["temperature"].loc[{"asset": asset, "time": after(data)}] += by


def lost(data: xr.Dataset, share: float = 0.4) -> None:
    rows = np.flatnonzero(after(data))
    gone = rows[: round(share * len(rows))]
    data["temperature"][{"time": gone}] = np.nan
    data["temperature_qc"][{"time": gone}] = 9


def means(twin: Any, start: str, stop: str) -> pd.DataFrame:
    data = twin.history("station", signals=["temperature"], start=start, stop=stop)
    return data["temperature"].where(data["temperature_qc"].isin([1, 3])).to_pandas()  # type: ignore[no-any-return]


def test_the_planted_change_is_the_largest_and_has_the_numbers_of_pandas() -> None:
    twin = planted(warmer)
    found = explain(twin, on="station", **DAYS)["change"]

    now, before = means(twin, "2026-01-03", "2026-01-04"), means(twin, "2026-01-02", "2026-01-03")
    assert found.value == pytest.approx(now["WEST"].mean() - before["WEST"].mean())
    assert found.unit == "degC"
    assert found.plan.call.assets == ["WEST"]
    share = found.value / (before["WEST"].max() - before["WEST"].min())
    assert f"{100 * share:.0f} % of its range" in found.sentence
    assert f"{now['WEST'].mean():.4g} degC on average" in found.sentence


def test_the_plan_of_a_finding_gives_its_numbers_again() -> None:
    explained = explain(planted(warmer), on="station", **DAYS)
    answer = explained.answer("change")

    assert answer.value - answer.other.value == pytest.approx(explained["change"].value)
    coverage = explained.answer("coverage")
    assert 100 * coverage.evidence.coverage == pytest.approx(explained["coverage"].value)


@settings(max_examples=12, deadline=None)
@given(st.floats(2.0, 30.0), st.sampled_from(["EAST", "NORTH", "WEST"]), st.booleans())
def test_any_planted_change_is_found_with_its_sign(by: float, asset: str, colder: bool) -> None:
    by = -by if colder else by
    twin = planted(lambda data: warmer(data, by=by, asset=asset))
    found = explain(twin, on="station", **DAYS)["change"]

    now, before = means(twin, "2026-01-03", "2026-01-04"), means(twin, "2026-01-02", "2026-01-03")
    shares = ((now.mean() - before.mean()).abs() / (before.max() - before.min())).dropna()
    if found.plan is not None and found.plan.call.signal == "temperature":
        assert found.plan.call.assets == [shares.idxmax()]
        assert np.sign(found.value) == np.sign((now.mean() - before.mean())[shares.idxmax()])


def test_how_much_is_known_is_the_share_that_pandas_counts() -> None:
    twin = planted(lost)
    found = explain(twin, on="station", **DAYS)["coverage"]

    known = means(twin, "2026-01-03", "2026-01-04").notna().to_numpy().mean()
    assert found.value == pytest.approx(100 * known)
    assert f"{100 * known:.0f} % of the values" in found.sentence
    assert known < 0.65


def test_no_change_is_said_of_data_that_are_not_enough() -> None:
    twin = planted(lambda data: (warmer(data, by=90.0), lost(data, share=0.7)))
    found = explain(twin, on="station", **DAYS)

    # The wind is still known.
    assert found["change"].plan is None or found["change"].plan.call.signal != "temperature"
    nothing = explain(EXAMPLE, on="station", start="2026-03-01", stop="2026-03-02")
    assert [one.known for one in nothing] == [False, True, True]
    assert "can't be told: 100 % of the values of the best known signal are missing" in nothing["change"].sentence
    assert nothing["coverage"].value == 0
    first = explain(EXAMPLE, on="station", start="2026-01-01", stop="2026-01-02")["change"]
    assert not first.known
    assert "no values of the time before" in first.sentence


def test_the_worst_exception_is_the_first_of_all_rules_by_severity() -> None:
    found = explain(EXAMPLE, start="2026-01-01", stop="2026-01-05")["exception"]

    rows = pd.concat([episodes(EXAMPLE, rule, start="2026-01-01", stop="2026-01-05") for rule in EXAMPLE.model.rules])
    ranks = {"high": 0, "medium": 1, "low": 2}
    best = (
        rows.assign(rank=rows["severity"].map(ranks)).sort_values(["rank", "beyond"], ascending=[True, False]).iloc[0]
    )
    assert str(best["text"]) in found.sentence
    assert f"Worst of {len(rows)} exceptions" in found.sentence
    assert found.why["what"]["key"] == best["key"]


def test_findings_in_german_have_the_same_numbers() -> None:
    english, german = (explain(planted(warmer), on="station", language=code, **DAYS) for code in ("en", "de"))

    assert [one.value for one in english] == [one.value for one in german]
    assert "Größte Änderung" in german["change"].sentence
    assert german["change"].plan.language == "de"


def test_a_wrong_type_or_span_is_refused() -> None:
    with pytest.raises(UnknownTermError, match="station"):
        explain(EXAMPLE, on="sation")
    with pytest.raises(SchemaError, match="before stop"):
        explain(EXAMPLE, start="2026-01-04", stop="2026-01-03")


def test_the_html_of_findings_has_no_markup_of_the_data() -> None:
    explained = explain(EXAMPLE, on="station", **DAYS)

    assert explained._repr_html_().count("<li>") == 3
    assert "<script" not in explained._repr_html_()
