"""The register map: which requests read it, and what the registers contain."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pymodbus.client import AsyncModbusTcpClient

from twinlab.sources.live import LIVE_KINDS
from twinlab.sources.live.modbus.registers import Register, blocks_of, value_of

WIDTHS = {"int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2, "int64": 4, "uint64": 4, "float64": 4}
REGISTERS = st.builds(
    Register,
    address=st.integers(0, 400),
    type=st.sampled_from(sorted(WIDTHS)),
    table=st.sampled_from(["holding", "input"]),
    device=st.integers(1, 2),
)


@given(st.data(), st.sampled_from(sorted(WIDTHS)), st.sampled_from(["big", "little"]))
def test_values_are_those_that_pymodbus_decodes(data: st.DataObject, kind: str, words: Any) -> None:
    read = data.draw(st.lists(st.integers(0, 65_535), min_size=WIDTHS[kind], max_size=WIDTHS[kind]))
    found = value_of(read, Register(address=0, type=kind, words=words))  # type: ignore[arg-type]
    expected = AsyncModbusTcpClient.convert_from_registers(read, AsyncModbusTcpClient.DATATYPE[kind.upper()], words)
    assert found == expected or (math.isnan(found) and math.isnan(expected))  # type: ignore[arg-type]


@given(st.dictionaries(st.text(min_size=1, max_size=3), REGISTERS, min_size=1, max_size=30), st.integers(0, 20))
def test_each_value_is_read_by_one_request_that_the_protocol_allows(
    registers: dict[str, Register], bridge: int
) -> None:
    blocks = blocks_of(registers, bridge=bridge)
    assert sorted(tag for block in blocks for tag in block.tags) == sorted(registers)
    wanted = {
        (one.device, one.table, at) for one in registers.values() for at in range(one.address, one.address + one.width)
    }
    for block in blocks:
        assert 1 <= block.count <= 125
        read = range(block.address, block.address + block.count)
        for one in block.tags.values():
            assert (one.device, one.table) == (block.device, block.table)
            assert one.address in read
            assert one.address + one.width - 1 in read
        run = longest = 0
        for at in read:
            run = 0 if (block.device, block.table, at) in wanted else run + 1
            longest = max(longest, run)
        assert longest <= bridge
        # Each value comes out of its own registers.
        words = [at % 65_536 for at in read]
        for tag, value in block.values(words):
            if registers[tag].type == "uint16":
                assert value == registers[tag].address


def test_a_bridge_saves_requests() -> None:
    registers = {str(at): Register(address=at) for at in range(0, 100, 10)}
    assert (len(blocks_of(registers)), len(blocks_of(registers, bridge=9))) == (10, 1)


@pytest.mark.parametrize(
    ("register", "message"),
    [
        (
            {"address": 65_535, "type": "float32"},
            "expected 2 registers from address 65535 on; the last address is 65535",
        ),
        ({"address": 0, "type": "bit"}, "expected the type bit for coil and discrete"),
        ({"address": 0, "table": "coil"}, "expected the type bit for coil and discrete"),
        ({"address": 0, "table": "coil", "type": "bit", "words": "little"}, "a bit has no words"),
    ],
)
def test_registers_that_no_device_has_are_refused(register: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LIVE_KINDS.get("modbus").parse({"host": "h", "registers": {"a": register}})


def test_more_requests_than_the_budget_allows_are_refused() -> None:
    registers = {str(at): {"address": at} for at in range(0, 100, 2)}
    options = {"host": "h", "registers": registers, "every": "10s", "requests_per_second": 2}
    with pytest.raises(
        ValidationError, match=r"50 registers take 50 requests, which are 25 s at 2 requests a second.*bridge"
    ):
        LIVE_KINDS.get("modbus").parse(options)
    LIVE_KINDS.get("modbus").parse({**options, "bridge": 1})
