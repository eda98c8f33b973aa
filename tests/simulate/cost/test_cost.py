"""Quotes, meters, budgets and energy."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from twinlab._energy import Energy, EnergyMeter, RaplCounters
from twinlab._rates import Rates
from twinlab.errors import SchemaError, SourceError
from twinlab.simulate.cost.amounts import Meter, Quote
from twinlab.simulate.cost.budget import Budget, BudgetError
from twinlab.simulate.cost.tally import Sample, Tally, student_t

RATES = Rates(price_per_kwh=0.5, price_per_core_hour=0.1, grams_per_kwh=200)


def cost(kind=Quote, **options):
    values = {"rates": RATES, "source": "4 timed chunks", "replications": 100} | options
    energy = Energy(3.6e6, "model: 12 W per busy core, not measured")
    return kind.of((60.0, 50.0, 70.0), (7200.0, 3600.0, 10800.0), (2e6, 1e6, 3e6), energy, **values)


def test_the_figures_of_a_cost_follow_from_seconds_bytes_and_energy():
    one = cost()
    assert (one.cpu_hours.value, one.cpu_hours.low, one.cpu_hours.high) == (2.0, 1.0, 3.0)
    assert (one.kwh.value, one.kwh.low, one.kwh.high) == (1.0, 0.5, 1.5)
    assert (one.grams.value, one.grams.high) == (200.0, 300.0)
    assert one.money.value == pytest.approx(2 * 0.1 + 0.5)
    assert one.money.unit == "EUR"


def test_each_figure_is_shown_with_interval_and_source():
    for text in (str(cost()), repr(cost()), cost()._repr_html_()):
        assert "60 s (50 s to 70 s)" in text
        assert "4 timed chunks" in text
        assert "model: 12 W per busy core, not measured" in text
        assert "200 g per kWh" in text
        assert "0.5 EUR per kWh, 0.1 EUR per hour of a core" in text
        assert "2 MB (1 MB to 3 MB)" in text


def test_a_cost_survives_json():
    assert Meter.from_dict(cost(Meter).to_dict()) == cost(Meter)


@pytest.mark.parametrize(
    ("text", "figure", "most"),
    [
        ("10 min", "seconds", 600),
        ("1.5h", "seconds", 5400),
        ("2 EUR", "money", 2),
        ("3 CPU h", "cpu_hours", 3),
        ("0.1 kWh", "kwh", 0.1),
        ("100 Wh", "kwh", 0.1),
        ("50 g CO2", "grams", 50),
        ("1,000 kg", "grams", 1e6),
        ("2 GB", "bytes", 2e9),
    ],
)
def test_a_budget_is_read(text, figure, most):
    found = Budget.parse(text, RATES)
    assert (found.figure, found.most) == (figure, pytest.approx(most))


@pytest.mark.parametrize("text", ["", "EUR", "2", "-2 EUR", "0 EUR", "2 USD", "2 parsecs", "nan min", "1.2.3 min"])
def test_a_budget_that_cant_be_read_is_named(text):
    with pytest.raises(SchemaError, match=r"expected a budget such as '2 EUR'"):
        Budget.parse(text, RATES)


def test_a_quote_above_the_budget_is_refused_with_what_would_fit():
    Budget.parse("61 s", RATES).check(cost())
    with pytest.raises(BudgetError, match=r"at most 30 s, but 100 replications take 60 s .* about 50 replications"):
        Budget.parse("30 s", RATES).check(cost())
    # Nothing fits into half a second: no number of replications is offered.
    with pytest.raises(BudgetError, match=r"100 replications take 60 s [^;]*; raise the budget"):
        Budget.parse("0.5 s", RATES).check(cost())


@pytest.mark.parametrize(("text", "may"), [("71 s", False), ("69 s", True), ("3.1 CPU h", False), ("2.9 CPU h", True)])
def test_a_budget_may_be_exceeded_if_the_upper_bound_is_above_it(text, may):
    assert Budget.parse(text, RATES).may_be_exceeded(cost(Meter)) is may
    assert not Budget.parse(text, RATES).exceeded(cost(Meter))


@pytest.mark.parametrize("wrong", [{"price_per_kwh": -1}, {"grams_per_kwh": float("nan")}, {"overhead": 0.5}])
def test_a_rate_that_cant_be_is_refused(wrong):
    with pytest.raises(SchemaError, match=next(iter(wrong))):
        Rates(**wrong)


def test_the_interval_of_the_rest_contains_it_as_often_as_it_says():
    random, inside = np.random.default_rng(5), 0
    for _ in range(400):
        tally = Tally()
        for _ in range(6):
            tally.add("a", Sample(4, random.gamma(2.0, 0.1, 4).sum(), 1.0))
        low, high = tally.rest({"a": 100}).cpu[1:]
        inside += low <= random.gamma(2.0, 0.1, 100).sum() <= high
    assert 0.93 <= inside / 400 <= 1.0


def test_the_rest_is_taken_from_samples_of_busy_cores_and_scenarios_add_up():
    tally = Tally()
    tally.add("a", Sample(10, 1.0, 1.0, alone=True))
    tally.add("a", Sample(10, 2.0, 2.0))
    tally.add("b", Sample(10, 4.0, 6.0))
    rest = tally.rest({"a": 10, "b": 20})
    assert rest.cpu[0] == pytest.approx(2.0 + 8.0)
    assert rest.wall == pytest.approx(2.0 + 12.0)
    assert tally.cpu == 7.0
    # A scenario that wasn't timed yet is like the others.
    assert tally.rest({"c": 20}).cpu[0] == pytest.approx(20 * 6 / 20)


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.706), (2, 4.303), (3, 3.182), (7, 2.365), (30, 2.042), (500, 1.965)]
)
def test_quantiles_of_students_t(freedom, expected):
    assert student_t(freedom) == pytest.approx(expected, rel=0.01)


def counter(root, name, *, microjoules, most=10**9):
    folder = root / name
    folder.mkdir(exist_ok=True)
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")


def test_energy_counters_of_packages_are_added_and_may_begin_anew(tmp_path):
    counter(tmp_path, "intel-rapl:0", microjoules=900_000_000)
    counter(tmp_path, "intel-rapl:1", microjoules=5_000_000)
    # A part of package 0: it is counted there already.
    counter(tmp_path, "intel-rapl:0:0", microjoules=1)
    counters = RaplCounters(tmp_path)
    assert counters.readable
    counter(tmp_path, "intel-rapl:0", microjoules=100_000_000)
    counter(tmp_path, "intel-rapl:1", microjoules=8_000_000)
    counter(tmp_path, "intel-rapl:0:0", microjoules=500_000_000)
    assert counters.joules() == pytest.approx(200 + 3)
    assert counters.joules() == pytest.approx(200 + 3)


def test_measured_energy_is_shared_by_busy_time(tmp_path):
    stat = tmp_path / "stat"
    counter(tmp_path, "intel-rapl:0", microjoules=0)
    stat.write_text("cpu  100 0 0 5000 0 0 0 0 0 0\n")
    meter = EnergyMeter(Rates(overhead=1.5), root=tmp_path, stat=stat)
    counter(tmp_path, "intel-rapl:0", microjoules=80_000_000)
    # 4 s of all cores; 1 s of them is ours.
    stat.write_text("cpu  400 0 100 9000 0 0 0 0 0 0\n")
    found = meter.energy(1.0)
    assert found.joules == pytest.approx(80 / 4 * 1.5)
    assert "RAPL" in found.source
    assert "25%" in found.source


@pytest.mark.parametrize("local", [True, False])
def test_without_readable_counters_energy_is_a_stated_model(tmp_path, local):
    if not local:
        counter(tmp_path, "intel-rapl:0", microjoules=0)
    else:
        (tmp_path / "intel-rapl:0").mkdir()
    meter = EnergyMeter(Rates(watts_per_core=20, overhead=1.5), local=local, root=tmp_path, stat=tmp_path / "none")
    found = meter.energy(10.0)
    assert found.joules == 10 * 20 * 1.5
    assert found.source == "model: 20 W per busy core (the default of Green Algorithms), not measured"


def test_watts_of_this_machine_come_from_codecarbon_where_it_is_installed(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    monkeypatch.setitem(sys.modules, "codecarbon.core.cpu", None)
    with pytest.raises(SourceError, match="pip install codecarbon"):
        Rates.of_this_machine()
    processor = SimpleNamespace(model="Threadripper", tdp=280.0)
    for name in ("codecarbon", "codecarbon.core"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    monkeypatch.setitem(sys.modules, "codecarbon.core.cpu", SimpleNamespace(TDP=lambda: processor))
    found = Rates.of_this_machine()
    assert found.watts_per_core == 17.5
    assert found.watts_from == "codecarbon: Threadripper, 280 W, 16 cores"
    processor.tdp = None
    with pytest.raises(SourceError, match="'Threadripper'"):
        Rates.of_this_machine()
