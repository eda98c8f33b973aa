"""Schedules of faults are checked before a run; errors name their path."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlab.errors import SchemaError
from twinlab.plant.faults.schedule import KINDS, Schedule, read_schedule

GOOD = """
faults:
  - {kind: link_down, target: modbus, start: 2h, lasts: 30min}
  - {kind: delay, target: rest, amount: 0.5}
  - {kind: drift, target: R01, signal: temperature, start: 1d, lasts: 2d, amount: 1.5}
  - {kind: clock_step, target: T002, start: 1h, amount: 3600}
"""


def read(tmp_path: Path, text: str) -> Schedule:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    return read_schedule(path)


def test_a_schedule_has_spans_since_the_begin(tmp_path: Path) -> None:
    schedule = read(tmp_path, GOOD)
    assert [fault.span(1000)[0] - 1000 for fault in schedule.faults] == [7200, 0, 86_400, 3600]
    assert schedule.faults[0].span(1000)[1] == 1000 + 9000
    assert schedule.faults[1].span(1000)[1] > 2**60
    assert read(tmp_path, "").faults == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{kind: link_dwn, target: modbus}", r"faults\.1\.kind: there is no fault 'link_dwn'; did you mean 'link_down'"),
        ("{kind: link_down, target: modbs}", r"faults\.1: link_down: expected a peer as target, one of erp, forklifts, modbus"),
        ("{kind: delay, target: modbus}", r"faults\.1: delay: expected an amount: the delay of each piece of data \(s\), got None"),
        ("{kind: delay, target: modbus, amount: -1}", r"faults\.1\.amount: expected a delay .* from 0 to 60 \(s\), got -1"),
        ("{kind: drop, target: modbus, amount: .nan}", r"faults\.1\.amount: expected a share .*got nan"),
        ("{kind: reset, target: modbus, amount: 1}", r"faults\.1: reset: expected no amount, got 1"),
        ("{kind: drift, target: R01, amount: 1}", r"faults\.1: drift: expected a signal of R01, one of temperature, got None"),
        ("{kind: stuck, target: T001, signal: temperature}", r"expected a signal of T001, one of speed, odometer, fuel"),
        ("{kind: clock_step, target: F01, amount: 1}", r"expected a cold room or a truck"),
        ("{kind: stuck, target: room, signal: temperature}", r"expected an asset as target, such as R01"),
        ("{kind: server_errors, target: erp}", r"expected the target rest"),
        ("{kind: link_down, target: modbus, start: soon}", r"faults\.1\.start"),
        ("{kind: link_down, target: modbus, until: 1h}", r"faults\.1\.until"),
    ],
)  # fmt: skip
def test_errors_name_the_path_of_the_fault(tmp_path: Path, line: str, said: str) -> None:
    text = f"faults:\n  - {{kind: reset, target: modbus}}\n  - {line}\n"
    with pytest.raises(SchemaError, match=rf"faults\.yaml: .*{said}"):
        read(tmp_path, text)


def test_a_file_that_is_no_yaml_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"faults\.yaml"):
        read(tmp_path, "faults: [")
    with pytest.raises(SchemaError, match=r"nothing\.yaml"):
        read_schedule(tmp_path / "nothing.yaml")


def test_every_kind_with_an_amount_has_a_unit() -> None:
    assert all(kind.amount[1] for kind in KINDS.values() if kind.amount)
