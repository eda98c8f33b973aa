"""Settings of a gateway of commands: one YAML file; paths in it are relative to its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from twinlab.commands.guard.rules import Rule
from twinlab.errors import SchemaError
from twinlab.model.basics import Model, Term
from twinlab.model.units import convert
from twinlab.signing.keys.ring import Role

__all__ = ["CommandGatewaySettings", "ModbusMachine", "ModbusParameter", "Registers", "read_gateway_settings"]

_BITS = 1 << 16


class ModbusParameter(Model):
    """What may be set, how a register states it, and the rule of the guard."""

    unit: str
    """Unit of commands and answers."""
    register_unit: str
    """Unit of the register."""
    scale: Annotated[float, Field(gt=0)] = 1.0
    """Value in the register's unit of one step of the register."""
    signed: bool = True
    """Whether the register is a signed number."""
    decimals: Annotated[int, Field(ge=0, le=9)] = 1
    """Digits after the point at which a change of the value matters."""
    limits: tuple[float, float]
    """See `Rule`, as all below."""
    largest_step: float
    tolerance: float
    fail_safe: float | None = None
    roles: Annotated[list[Role], Field(min_length=1)]
    people: Annotated[int, Field(ge=1)] = 1
    timeout: Annotated[float, Field(gt=0)] = 5.0
    select_lifetime: Annotated[float, Field(gt=0)] = 10.0

    def value_of(self, register: int) -> float:
        """Return the value of a register.

        >>> degree = ModbusParameter(unit="degC", register_unit="degF", scale=0.1, limits=(-25, 8), largest_step=4,
        ...                          tolerance=0.1, roles=["operator"])
        >>> degree.value_of(392), degree.register_of(4.0), degree.register_of(-20.0)
        (4.0, 392, 65496)
        """
        number = register - _BITS if self.signed and register >= _BITS // 2 else register
        return round(float(convert([number * self.scale], self.register_unit, self.unit)[0]), self.decimals) + 0.0

    def register_of(self, value: float) -> int:
        """Return the register of a value.

        Raises
        ------
        SchemaError
            If the register can't state it.
        """
        number = round(float(convert([value], self.unit, self.register_unit)[0]) / self.scale)
        low, high = (-_BITS // 2, _BITS // 2 - 1) if self.signed else (0, _BITS - 1)
        if not low <= number <= high:
            msg = f"expected a value that a register can state, got {value:g} {self.unit}"
            raise SchemaError(msg)
        return number & (_BITS - 1)


class Registers(Model):
    """Where the registers of an asset are."""

    device: Annotated[int, Field(ge=0, le=255)]
    """Device id."""
    addresses: Annotated[dict[Term, int], Field(min_length=1)]
    """Parameter -> address of its holding register."""
    watched: dict[Term, int] = Field(default_factory=dict)
    """Signal, whose change makes a proposal void -> address of its register."""
    fail_safe: dict[Term, float] = Field(default_factory=dict)
    """Parameter -> fail-safe value of this asset, where it differs from those of others: in the parameter's unit."""


class ModbusMachine(Model):
    """The machine behind the gateway."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    parameters: Annotated[dict[Term, ModbusParameter], Field(min_length=1)]
    targets: Annotated[dict[str, Registers], Field(min_length=1)]


class Listen(Model):
    """Where commands come in: TLS, with a certificate of each client."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    ca: str
    """File with the certificate of the authority of the clients."""
    certificate: str
    key: str
    clients: Annotated[list[str], Field(min_length=1)]
    """Names in the certificates of who may send."""


class CommandGatewaySettings(Model):
    """A gateway of commands."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Of the gateway in the file of keys."""
    twin: Term
    """Name of the twin whose commands count."""
    keys: str
    """File of keys of people and devices."""
    key: str
    """File with the private key of the gateway."""
    folder: str
    """The gateway's memory; a new folder makes a new gateway."""
    listen: Listen
    modbus: ModbusMachine

    @model_validator(mode="after")
    def _parameters_are_known(self) -> CommandGatewaySettings:
        for target, registers in self.modbus.targets.items():
            if unknown := sorted(set(registers.addresses) - set(self.modbus.parameters)):
                msg = f"{target}: expected parameters of modbus.parameters, got {', '.join(unknown)}"
                raise ValueError(msg)
            if unknown := sorted(set(registers.fail_safe) - set(registers.addresses)):
                msg = f"{target}: expected fail-safe values of its own parameters, got {', '.join(unknown)}"
                raise ValueError(msg)
            for name, value in registers.fail_safe.items():
                low, high = self.modbus.parameters[name].limits
                # Limits in the wrong order are named with the rule.
                if low <= high and not low <= value <= high:
                    msg = f"{target}: expected a fail-safe value of {name} from {low:g} to {high:g}, got {value:g}"
                    raise ValueError(msg)
        return self

    def rules(self) -> list[Rule]:
        """Return the rules of the guard."""
        return [
            Rule(
                name, frozenset(target for target, registers in self.modbus.targets.items() if name in registers.addresses),
                known.unit, known.limits, known.largest_step, known.tolerance, frozenset(known.roles), known.people,
                fail_safe=known.fail_safe, timeout=known.timeout, select_lifetime=known.select_lifetime,
            )
            for name, known in self.modbus.parameters.items()
        ]  # fmt: skip


def read_gateway_settings(path: Path) -> CommandGatewaySettings:
    """Read the settings of a gateway of commands.

    Raises
    ------
    SchemaError
        If the file isn't there or isn't valid; names each key.
    """
    try:
        settings = CommandGatewaySettings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"settings of a gateway of commands {path}: {error}"
        raise SchemaError(msg) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        msg = f"settings of a gateway of commands {path}: {faults}"
        raise SchemaError(msg) from error
    folder = path.resolve().parent
    files: dict[str, Any] = {name: str(folder / getattr(settings, name)) for name in ("keys", "key", "folder")}
    listen = {name: str(folder / getattr(settings.listen, name)) for name in ("ca", "certificate", "key")}
    return settings.model_copy(update={**files, "listen": settings.listen.model_copy(update=listen)})
