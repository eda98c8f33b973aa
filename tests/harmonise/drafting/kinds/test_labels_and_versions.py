"""Columns that are labels, and raw columns beside corrected ones."""

import pytest

from tests.harmonise.drafting.one_file import drafted


def bench(folder, header, row, *, rows=40):
    """Draft a table of hourly rows; return the model, the mapping and its claims."""
    lines = (f"2025-06-{1 + i // 24:02d}T{i % 24:02d}:00Z,{row(i)}" for i in range(rows))
    model, mapping, found = drafted(folder, "\n".join([f"time,{header}", *lines]), name="bench.csv")
    return model, mapping, found.claims


@pytest.mark.parametrize(
    "name", ["anomaly", "is_fault", "changepoint", "RUL", "label", "Machine failure", "in_window", "attackLabel"]
)
def test_a_column_named_as_a_label_is_no_input_and_a_question(tmp_path, name):
    model, _, claims = bench(tmp_path, f"pressure_bar,{name}", lambda i: f"{i}.5,{int(20 < i < 30)}")
    (kind,) = model.asset_types.values()
    roles = {signal.title: signal.role for signal in kind.signals.values()}
    assert roles == {"pressure_bar": "measurement", name: "label"}
    assert [rule.choices for rule in model.questions] == [["label", "measurement"]]
    assert len(claims) == 80


@pytest.mark.parametrize(
    "name", ["fault_current_a", "default", "target_temp_c", "windowed", "failure_pressure_bar", "classroom"]
)
def test_other_names_are_measurements(tmp_path, name):
    model, _, _ = bench(tmp_path, name, lambda i: f"{i}.5")
    (kind,) = model.asset_types.values()
    assert [signal.role for signal in kind.signals.values()] == ["measurement"]


@pytest.mark.parametrize(
    ("raw", "corrected", "signal", "unit"),
    [
        ("temp_raw", "temp_corrected", "temperature", "unknown"),
        ("Value", "Corrected value", "value", "unknown"),
        ("temp_c_raw", "temp_c_cor", "temperature", "degC"),
        ("stage", "stage_cor", "stage", "unknown"),
    ],
)
def test_a_raw_column_and_its_corrected_one_are_two_versions_of_one_signal(tmp_path, raw, corrected, signal, unit):
    model, mapping, claims = bench(tmp_path, f"{raw},{corrected}", lambda i: f"{i}.5,{'' if i < 9 else f'{i}.25'}")
    (kind,) = model.asset_types.values()
    assert {name: one.unit for name, one in kind.signals.items()} == {signal: unit}
    assert kind.signals[signal].resolution == 0.01
    (table,) = mapping.tables
    assert {name: rules[0].priority for name, rules in table.columns.items()} == {raw: 0, corrected: 1}
    assert [rule.at for rule in mapping.questions] == [f"tables[0].columns.{corrected}.priority"]
    assert (len(claims), sorted(set(claims.priority.tolist()))) == (40 + 31, [0, 1])


def test_columns_whose_ranges_or_units_differ_are_no_versions_of_each_other(tmp_path):
    model, _, _ = bench(tmp_path, "flow,flow_adj", lambda i: f"{i}.5,{1000 + i}.5")
    (kind,) = model.asset_types.values()
    assert list(kind.signals) == ["flow", "flow_adj"]
