"""Sentences and tables of verdicts, and what the score of a model means."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab import simulate
from twinlab.explore.views.what_if.results.trust import residual_of, scores_table, trust_words
from twinlab.explore.views.what_if.results.verdicts import number, sentence, summary_html, verdict_html
from twinlab.simulate.calibration.fidelity import Fidelity


def compared(shift, *, units="%", better="higher"):
    noise = np.random.default_rng(3).normal(size=(2, 30))
    base = xr.DataArray(
        90 + noise[0], {"replication": np.arange(30), "scenario": "base"}, ("replication",), name="on_time",
        attrs={"units": units, "long_name": "On <time>", "better": better},
    )  # fmt: skip
    other = base + shift + 0.1 * (noise[1] - noise[1].mean())
    return simulate.compare(base, other.assign_attrs(base.attrs).assign_coords(scenario="close"))


def test_a_verdict_is_a_sentence_with_both_means_and_a_difference_in_points():
    text = sentence(compared(-10))
    assert text.startswith("**close is worse than base**  \nOn <time>: ")
    assert "difference −10.0\N{NO-BREAK SPACE}points (95 % interval −10." in text
    assert text.endswith("30 futures of each, with the same chance in both.")
    assert "▲" in verdict_html([compared(10)])
    assert "difference +12.0\N{NO-BREAK SPACE}min" in sentence(compared(12, units="min", better="lower"))


def test_what_cannot_be_told_says_how_many_more_futures_would_tell():
    text = sentence(compared(0.004))
    assert text.startswith("**can't tell whether close differs from base**")
    assert "more futures of each would separate them" in text


def test_names_in_tables_are_escaped():
    assert "On &lt;time&gt;" in verdict_html([compared(-10)])
    table = pd.DataFrame({"KPI": ["<b>"], "mean": [1.0], "5 %": [0.5], "95 %": [2.0]})
    assert "&lt;b&gt;" in summary_html(table)


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.1234, "−0.123"), (12345.6, "12,346"), (float("nan"), "–")])
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def scored(inside):
    starts = np.array(["2026-01-20T06:00", "2026-01-22T06:00"], "M8[ns]")
    rows = [
        (start, quantity, hub, 10.0, 12.0, 8.0, 14.0, bool(inside), 0.5)
        for start in starts
        for quantity, hub in (("hub_waiting", "BER"), ("hub_waiting", "FRA"), ("delivered", ""))
    ]
    columns = ["start", "quantity", "hub", "real", "mean", "low", "high", "inside", "crps"]
    window = np.datetime64("2026-01-20", "ns"), np.datetime64("2026-01-24", "ns")
    return Fidelity(
        pd.DataFrame(rows, columns=columns), 0.9, window, np.timedelta64(1, "D"), 50, "x", "2026-01-01 to 2026-01-20"
    )


def test_a_score_says_in_words_whether_the_model_can_be_trusted():
    assert "isn't scored yet" in trust_words(None)
    assert trust_words(scored(inside=False)).startswith("**The model is too sure of itself")
    assert "Not to be trusted: hub_waiting (0% inside)" in trust_words(scored(inside=False))
    careful = trust_words(scored(inside=True))
    assert careful.startswith("**The model is careful")
    assert "1 day ahead, by a model fitted to 2026-01-01 to 2026-01-20" in careful


def test_scores_have_titles_and_units_and_residuals_are_reality_minus_simulation():
    attrs = {"units": "1", "long_name": "Waiting", "asset_type": "hub"}
    data = xr.Dataset({"hub_waiting": ("hub", [0.0, 1.0], attrs)})
    table = scores_table(scored(inside=True), data)
    assert table["quantity"].tolist() == ["Waiting", "delivered"]
    assert table["simulation minus reality"].tolist() == [2.0, 2.0]
    residual = residual_of(scored(inside=True), "hub_waiting")
    assert residual.dims == ("time", "asset")
    assert residual.values.tolist() == [[-2.0, -2.0], [-2.0, -2.0]]
    assert residual_of(scored(inside=True), "delivered").sizes == {"time": 2, "asset": 1}
