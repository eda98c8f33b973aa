"""The options of the kind `modbus`, checked without the client library."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from twinlab.model.basics import Duration, parse_duration
from twinlab.model.extensions.options import Options
from twinlab.sources.live.modbus.registers import Block, Register, blocks_of

__all__ = ["ModbusOptions"]


class ModbusOptions(Options):
    """Options of a Modbus TCP source."""

    host: str
    """Name or address of the device or gateway."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    every: Duration = "10s"
    """All registers are read once in so long."""
    registers: Annotated[dict[str, Register], Field(min_length=1)]
    """Tag -> where its value is: ``{room1.temperature: {address: 0, type: int16}}``. Scale, unit and sentinel values are stated with
    the tag under ``stream:``."""
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """Requests to the peer, at most; there is one connection, and one request at a time."""
    bridge: Annotated[int, Field(ge=0, le=100)] = 0
    """Registers between two values that may be read with them, to save requests. 0 reads none that isn't listed: some devices
    refuse requests that include an address they don't have."""
    timeout: Duration = "3s"
    """How long connecting and an answer may take."""

    @model_validator(mode="after")
    def _within_budget(self) -> Self:
        requests = len(self.blocks())
        needed = requests / self.requests_per_second
        if parse_duration(self.every) < needed * 1e9:
            msg = (
                f"{len(self.registers)} registers take {requests} requests, which are {needed:g} s at {self.requests_per_second:g} "
                f"requests a second, but are to be read every {self.every}: read less often, allow more requests, or set `bridge`"
            )
            raise ValueError(msg)
        return self

    def blocks(self) -> list[Block]:
        """Return the requests of one round."""
        return blocks_of(self.registers, bridge=self.bridge)
