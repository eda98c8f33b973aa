"""The plan of what is kept: what it predicts is what applying it gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import twinlab as tl
from tests.twin.retention.conftest import rows
from twinlab.cli.commands import group
from twinlab.errors import SchemaError
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.retention.codecs import CODECS
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.opening import open_history
from twinlab.history.write.removal import APPLIED
from twinlab.twin.retention.errors import limits_of, mean_error, shares_beyond

START = int(np.datetime64("2026-01-01", "ns").astype("int64"))


def exceptions(twin: tl.Twin) -> list[str]:
    found = tl.events.episodes(twin, twin.model.rules, start="2026-01-01", stop="2026-02-12")
    return sorted(found["key"])


def test_the_plan_predicts_bytes_and_errors_of_what_is_applied(folder: Path, built: Path) -> None:
    twin = tl.open(folder)
    plan = twin.plan_retention("20 EUR/month", keep=["events", "flagged"])
    row = plan.table.query("full_rate == '14d' and older == 'rollups' and ledger == 'keep'").iloc[0]
    assert (plan.searched, row["missed"], row["false"]) == (plan.searched, 0, 0)
    assert plan.searched > 20
    proposal = plan.choose(int(row.name)).propose()
    assert "full_rate: 14d" in proposal.text
    assert twin.proposals()
    proposal.approve()
    assert not tl.open(folder).edits()
    twin.apply_retention(author="dora")
    after = tl.open(folder)
    # Earlier states go after a day.
    use = storage_use(folder, open_history(folder / "history"))
    assert use.total - use.other == pytest.approx(
        row["bytes"] - storage_use(built, open_history(built / "history")).other, rel=0.05
    )
    cells = storage_use(built, open_history(built / "history")).cells
    assert use.cells < 0.7 * cells
    # The error over all days, not only those that the plan measured.
    before, days = tl.open(built), [START + day * DAY_NS for day in range(27)]
    errors = [
        100 * abs(shares_beyond(before, limit, days, reduced=False) - shares_beyond(after, limit, days, reduced=True))
        for limit in limits_of(before)
    ]
    found = mean_error(np.concatenate(errors, axis=1)).mean
    assert 0 < row["error_low"] <= found <= row["error_high"]
    assert exceptions(after) == exceptions(before)
    for step in ("1h", "4h", "1d"):
        was, now = (one.history("room", step=step).load() for one in (before, after))
        names = [
            name for name in was if step == "4h" or not str(name).endswith(("_min", "_max")) or "door" in str(name)
        ]
        xr.testing.assert_identical(was[names].drop_attrs(deep=False), now[names].drop_attrs(deep=False))
    assert "removed" not in after.check(start="2026-01-01").text()
    assert after.verify().ok


def test_without_spans_that_stay_exceptions_are_missed_and_the_plan_says_so(folder: Path, built: Path) -> None:
    twin = tl.open(folder)
    plan = twin.plan_retention("0.0001 EUR/month", keep=[])
    assert plan.chosen is None
    with pytest.raises(SchemaError, match="no way of keeping less fits"):
        plan.propose()
    assert "none fits the budget" in str(plan)
    row = plan.table.query("full_rate == '7d' and older == 'rollups'").iloc[0]
    assert row["missed"] > 5
    assert plan.table.query("older == 'rounded' and resolution == 4")["missed"].max() <= row["missed"]
    plan.choose(int(row.name)).propose().approve()
    twin.apply_retention()
    lost = set(exceptions(tl.open(built))) - set(exceptions(tl.open(folder)))
    assert len(lost) >= row["missed"]
    assert all(key.startswith("too_warm") for key in lost)


def test_the_table_has_a_pareto_and_a_chart(folder: Path) -> None:
    plan = tl.open(folder).plan_retention("20 EUR/month")
    table = plan.table
    assert table["pareto"].any()
    for one in table[table["pareto"]].itertuples():
        better = table[
            (table["cost"] < one.cost) & (table["share_error"] <= one.share_error) & (table["missed"] <= one.missed)
        ]
        assert (
            better["full_rate"].replace("", "9999d").str[:-1].astype(float) < float((one.full_rate or "9999d")[:-1])
        ).all()
    assert plan.table.loc[plan.chosen, "fits"]
    assert "row" in plan._repr_html_()
    assert [type(layer).__name__ for layer in plan.plot()][0] == "Curve"
    (used,) = plan.codecs[plan.codecs["in_use"]].itertuples()
    assert used.bytes == table["bytes"].iloc[0]
    assert used.cost == pytest.approx(table["cost"].iloc[0])
    assert sorted(plan.codecs["codec"]) == sorted(CODECS)
    assert (plan.codecs[["decode_ns", "encode_ns"]] > 0).all(axis=None)
    assert "by codec of its cells, without error: pcodec 8" in str(plan)
    # The smallest one has ways of its own.
    smallest = plan.codecs.sort_values("bytes").iloc[0]
    assert set(table["codec"]) == {"pcodec 8", smallest["codec"]}
    assert table[(table["full_rate"] == "") & (table["codec"] != "pcodec 8")]["bytes"].item() == smallest["bytes"]
    assert "other codec" in [layer.label for layer in plan.plot()]


def test_a_codec_is_chosen_before_anything_is_lost_and_is_applied_to_the_bit(folder: Path, built: Path) -> None:
    twin = tl.open(folder)
    every, smaller = twin.plan_retention("20 EUR/month").table.query("full_rate == ''").itertuples()
    budget = (every.cost + smaller.cost) / 2
    plan = twin.plan_retention(f"{budget:.6f} EUR/month")
    assert (plan.chosen, plan.rule, plan.codec) == (smaller.Index, None, smaller.codec)
    proposal = plan.propose()
    assert f"at: [storage, codec]\nvalue: {smaller.codec}" in proposal.text
    proposal.approve()
    text = (folder / "twin.yaml").read_text(encoding="utf-8")
    assert "price: 2000 EUR/GB/month" in text
    assert not tl.open(folder).edits()
    shown = str(tl.open(folder).preview_retention())
    assert f"encoded with {smaller.codec} instead of pcodec 8; every value stays" in shown
    report = twin.apply_retention(author="dora")
    assert (report.id, report.recoded["codec"], report.recoded["author"]) == ("", smaller.codec, "dora")
    assert smaller.codec in str(report)
    before, after = tl.open(built), tl.open(folder)
    for step in (None, "1h", "1d"):
        same(after.history("room", step=step), before.history("room", step=step).load())
    uses = [storage_use(one, open_history(one / "history")) for one in (built, folder)]
    assert uses[1].total - uses[1].other == pytest.approx(smaller.bytes - uses[0].other, rel=0.05)
    assert uses[1].cells == pytest.approx(uses[0].cells - every.bytes + smaller.bytes, rel=0.05)
    assert after.verify().ok
    assert str(after.apply_retention()) == "nothing is to be changed"
    # The next plan starts from it.
    again = after.plan_retention("20 EUR/month")
    assert set(again.table["codec"]) == {smaller.codec}
    assert again.table["bytes"].iloc[0] == storage_use(folder, open_history(folder / "history")).total


@pytest.mark.parametrize(("older", "resolution"), [("rollups", 4), ("rounded", 16)])
def test_bytes_of_a_way_with_another_codec_are_as_predicted(
    folder: Path, built: Path, older: str, resolution: int
) -> None:
    twin = tl.open(folder)
    way = "full_rate == '14d' and older == @older and resolution == @resolution and ledger == 'keep' and codec != 'pcodec 8'"
    plan = twin.plan_retention("20 EUR/month")
    row = plan.table.query(way).iloc[0]
    proposal = plan.choose(int(row.name)).propose()
    assert f"also: [{{at: [storage, codec], value: {row['codec']}}}]" in proposal.text
    proposal.approve()
    preview = tl.open(folder).preview_retention()
    assert preview.bytes[1] == pytest.approx(row["bytes"], rel=0.01)
    report = twin.apply_retention()
    assert report.id
    assert report.recoded["codec"] == row["codec"]
    uses = [storage_use(one, open_history(one / "history")) for one in (built, folder)]
    gone = plan.table["bytes"].iloc[0] - row["bytes"]
    assert uses[1].cells == pytest.approx(uses[0].cells - gone, rel=0.05)
    twin = tl.open(folder)
    known = twin.history("room").load()
    twin.rebuild()
    assert open_history(folder / "history").catalog.codec == row["codec"]
    same(tl.open(folder).history("room"), known)


@pytest.mark.parametrize(
    ("budget", "keep", "says"),
    [
        ("20", ["events"], "20 EUR/month"),
        ("20 USD/month", [], "a budget in EUR"),
        ("20 EUR/month", ["all"], "'events' and 'flagged'"),
    ],
)
def test_what_does_not_fit_is_refused(folder: Path, budget: str, keep: list[str], says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        tl.open(folder).plan_retention(budget, keep=keep)  # type: ignore[arg-type]


def test_prices_of_the_call_replace_those_of_the_twin(folder: Path) -> None:
    twin = tl.open(folder)
    mine = twin.plan_retention("20 EUR/month").table
    given = twin.plan_retention("20 USD/month", price="4000 USD/GB/month").table
    np.testing.assert_allclose(given["cost"], 2 * mine["cost"])
    path = folder / "twin.yaml"
    path.write_text(
        "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("storage:")),
        encoding="utf-8",
    )
    twin = tl.open(folder)
    with pytest.raises(SchemaError, match=r'price="0.02 EUR/GB/month".* or state it in twin.yaml'):
        twin.plan_retention("20 EUR/month")
    np.testing.assert_allclose(
        twin.plan_retention("20 EUR/month", price="2000 EUR/GB/month").table["cost"], mine["cost"]
    )
    with pytest.raises(SchemaError, match="expected a price such as"):
        twin.plan_retention("20 EUR/month", price="2000 EUR")
    with pytest.raises(SchemaError, match="expected archive_price in EUR as price"):
        twin.plan_retention("20 EUR/month", price="1 EUR/GB/month", archive_price="1 USD/GB/month")


def test_the_command_shows_what_goes_asks_and_leaves_a_proof(folder: Path) -> None:
    def run(*options: str, text: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(group, ["compact", str(folder), *options], input=text, standalone_mode=False)
        return done.return_value or 0, done.output if done.exception is None else str(done.exception)

    assert "expected `retention:` in twin.yaml" in run("--apply-retention")[1]
    path = folder / "twin.yaml"
    path.write_text(
        path.read_text(encoding="utf-8") + "retention: {full_rate: 14d, ledger: archive}\n", encoding="utf-8"
    )
    before = tl.open(folder).history("room").load()
    code, said = run("--apply-retention", "--dry-run")
    assert code == 0
    assert (
        "cells of gauges older than 14d would be removed; rollups stay; kept at full rate: events and flagged" in said
    )
    assert "temperature" in said
    assert "sealed segments" in said
    assert "nothing was changed" in run("--apply-retention", text="n\n")[1]
    assert tl.open(folder).history("room").load().equals(before)
    code, said = run("--apply-retention", "--yes")
    assert code == 0
    assert "the proof is in the journal" in said
    (proof,) = tl.open(folder).ledger.journal.entries(APPLIED)
    assert {part["signal"] for part in proof.payload["parts"]} == {"temperature", "humidity"}
    assert all(len(part["sha256"]) == 64 for part in proof.payload["parts"])
    data = tl.open(folder).history("room")
    assert data.attrs["removed_before"] == "2026-01-29T00:00:00Z"
    assert "exist only as rollups" in data.attrs["retention"]


def test_rows_before_the_cut_are_kept_in_the_ledger_and_counted(folder: Path, tmp_path: Path) -> None:
    path = folder / "twin.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "retention: {full_rate: 14d}\n", encoding="utf-8")
    twin = tl.open(folder)
    twin.apply_retention()
    days = twin.history("room", step="1d").load()
    with twin.writer("rooms") as writer:
        ack = writer.append(rows(days=1, rooms=1, seed=9), table="rooms")
    assert ack.rows == 288
    late = twin.observations("room/R0", "temperature", stop="2026-01-02", all=True)
    assert len(late) == 576
    same(twin.history("room", step="1d"), days)
    # A file that replaces an earlier one withdraws its rows after the cut, too; not those before it.
    (tmp_path / "rooms.csv").write_text(
        "time,room,t,h,d\n2026-01-05T00:00,R1,1,1,0\n2026-02-11T00:00,R1,2,2,1\n", encoding="utf-8"
    )
    report = twin.ingest(tmp_path / "rooms.csv")
    assert "values before 2026-01-29T00:00:00 UTC are in the ledger only" in str(report)
    after = twin.history("room", step="1d").load()
    same(after.sel(time=slice(None, "2026-01-28")), days.sel(time=slice(None, "2026-01-28")))
    assert int(after.temperature_count.sel(time=slice("2026-01-29", None)).sum()) == 1
    cells = twin.history("room").load()
    twin.rebuild()
    again = twin.history("room").load()
    same(again, cells.sel(time=again.time))
    same(twin.history("room", step="1d"), after.sel(time=slice(None, again.time[-1])))


def same(one: xr.Dataset, other: xr.Dataset) -> None:
    xr.testing.assert_identical(one.load().drop_attrs(deep=False), other.drop_attrs(deep=False))
