"""What the registers of a Modbus device contain, and which of them one request reads."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twinlab.model.basics import Model

__all__ = ["Block", "Register", "blocks_of", "value_of"]

#: struct's code of each type, and its words of 16 bits.
_TYPES = {
    "int16": ("h", 1),
    "uint16": ("H", 1),
    "int32": ("i", 2),
    "uint32": ("I", 2),
    "float32": ("f", 2),
    "int64": ("q", 4),
    "uint64": ("Q", 4),
    "float64": ("d", 4),
}
#: Registers and bits that one request may ask for (Modbus Application Protocol V1.1b3, 6.1 to 6.4).
_MOST_WORDS, _MOST_BITS = 125, 2000
_ADDRESSES = 65_536


class Register(Model):
    """One value in the memory of a device."""

    address: Annotated[int, Field(ge=0, lt=_ADDRESSES)]
    """Address as in the protocol, from 0: manuals that write 40001 for the first holding register mean 0."""
    type: Literal["int16", "uint16", "int32", "uint32", "float32", "int64", "uint64", "float64", "bit"] = "int16"
    """How the bits are read; types of more than 16 bits take two or four registers."""
    words: Literal["big", "little"] = "big"
    """Order of the registers of one value: "little" has the least significant one first."""
    table: Literal["holding", "input", "coil", "discrete"] = "holding"
    """Where the device has it; coils and discrete inputs are bits."""
    device: Annotated[int, Field(ge=0, le=255)] = 1
    """Number of the device (unit, slave) at this address."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type == "bit") != (self.table in {"coil", "discrete"}):
            msg = f"expected the type bit for coil and discrete, and another for holding and input, got {self.type!r} in {self.table!r}"
            raise ValueError(msg)
        if self.type == "bit" and self.words != "big":
            msg = "the key 'words' is not used: a bit has no words"
            raise ValueError(msg)
        if self.address + self.width > _ADDRESSES:
            msg = (
                f"expected {self.width} registers from address {self.address} on; the last address is {_ADDRESSES - 1}"
            )
            raise ValueError(msg)
        return self

    @property
    def width(self) -> int:
        """Number of registers (or bits) of the value."""
        return 1 if self.type == "bit" else _TYPES[self.type][1]


@dataclass(frozen=True)
class Block:
    """Neighbouring registers that one request reads."""

    device: int
    table: str
    address: int
    count: int
    """Registers (or bits)."""
    tags: Mapping[str, Register]

    def parts(self) -> Iterator[Block]:
        """Yield a block for each of its values."""
        for tag, one in self.tags.items():
            yield Block(self.device, self.table, one.address, one.width, {tag: one})

    def values(self, read: Sequence[int | bool]) -> Iterator[tuple[str, float | int]]:
        """Yield tag and value from the ``count`` registers (or bits) that a request has read."""
        for tag, one in self.tags.items():
            low = one.address - self.address
            yield tag, value_of(read[low : low + one.width], one)


def value_of(words: Sequence[int | bool], register: Register) -> float | int:
    """Return the number that registers contain, as the device has it: not scaled, sentinels included.

    >>> value_of([0xFF47], Register(address=0)), value_of([0x0000, 0xC194], Register(address=2, type="float32", words="little"))
    (-185, -18.5)
    """
    if register.type == "bit":
        return int(words[0])
    code, count = _TYPES[register.type]
    ordered = words if register.words == "big" else list(reversed(words))
    number: float | int = struct.unpack(f">{code}", struct.pack(f">{count}H", *ordered))[0]
    return number


def blocks_of(registers: Mapping[str, Register], *, bridge: int = 0) -> list[Block]:
    """Return the requests that read all registers, in the order of device, table and address.

    Parameters
    ----------
    registers : mapping of str to Register
        Tag -> where its value is.
    bridge : int
        Registers between two values that may be read with them. Some devices refuse a request that includes an address they
        don't have, so 0 is safe.

    >>> made = blocks_of({"a": Register(address=0, type="float32"), "b": Register(address=2), "c": Register(address=9)})
    >>> [(block.address, block.count, list(block.tags)) for block in made]
    [(0, 3, ['a', 'b']), (9, 1, ['c'])]
    """
    found: list[Block] = []
    ordered = sorted(registers.items(), key=lambda item: (item[1].device, item[1].table, item[1].address))
    for (device, table), same in groupby(ordered, key=lambda item: (item[1].device, item[1].table)):
        most = _MOST_BITS if table in {"coil", "discrete"} else _MOST_WORDS
        last: Block | None = None
        for tag, one in same:
            stop = one.address + one.width
            if last is not None:
                count = max(last.count, stop - last.address)
                if one.address - (last.address + last.count) <= bridge and count <= most:
                    last = Block(device, table, last.address, count, {**last.tags, tag: one})
                    continue
                found.append(last)
            last = Block(device, table, one.address, one.width, {tag: one})
        if last is not None:
            found.append(last)
    return found
