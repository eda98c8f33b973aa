"""``control.yaml``: where the devices of a twin are and which keys count. It has paths of keys, no secrets."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, PrivateAttr, ValidationError, field_validator

from twinlab.control.carriers.registry import CARRIER_KINDS
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.basics import Model, Term
from twinlab.model.extensions.options import fault_text
from twinlab.model.terms import nearest

__all__ = ["FILE", "ControlSettings", "Endpoint", "read_control"]

#: In the twin's folder.
FILE = "control.yaml"


class Endpoint(Model):
    """Devices that are reached in one way."""

    carrier: str
    """Kind of carrier: mqtt, opcua, modbus, or what a package adds."""
    assets: Annotated[list[str], Field(min_length=1)]
    """Targets, or patterns of them: ``forklift/*``."""
    device: str = "{target}"
    """Name of the device in the file of keys; ``{target}`` is replaced by the target."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Of the kind of carrier."""

    @field_validator("carrier")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in CARRIER_KINDS.names():
            msg = f"there is no kind of carrier {name!r}{nearest(name, CARRIER_KINDS.names())}"
            raise ValueError(msg)
        return name

    def has(self, target: str) -> bool:
        """Return whether a target is reached this way.

        >>> Endpoint(carrier="mqtt", assets=["forklift/*"]).has("forklift/F07")
        True
        """
        return any(fnmatchcase(target, pattern) for pattern in self.assets)

    def device_of(self, target: str) -> str:
        """Return the name of a target's device in the file of keys."""
        return self.device.replace("{target}", target)


class ControlSettings(Model):
    """A whole ``control.yaml``."""

    keys: str
    """File of keys of people and devices."""
    endpoints: dict[Term, Endpoint]
    """Name -> how some devices are reached."""
    people: dict[str, str] = Field(default_factory=dict)
    """Person -> file of the private key, of those who sign on this machine."""
    audit: dict[str, Any] = Field(default_factory=dict)
    """Where the audit's signed tree heads go, and the key that signs them; read by the twin."""
    sealed_keys: str = ""
    """Folder of people's keys for signing from a page; read by the twin."""
    _folder: Path = PrivateAttr(default_factory=Path)

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401  (of pydantic's validation)
        """Remember the folder that `read_control` reads from."""
        if context is not None:
            self._folder = context["folder"]

    @property
    def folder(self) -> Path:
        """Folder of the file, to which paths in options are relative."""
        return self._folder

    def endpoint_of(self, target: str, *, name: str | None = None) -> str:
        """Return the name of the endpoint of a target: the first one that has it.

        Raises
        ------
        UnknownTermError
            If there is none, or the one of that name doesn't have it.
        """
        found = [key for key, one in self.endpoints.items() if one.has(target) and name in (None, key)]
        if not found:
            known = ", ".join(f"{key} ({', '.join(one.assets)})" for key, one in self.endpoints.items())
            wanted = "an endpoint" if name is None else f"the endpoint {name!r}"
            msg = f"{target}: expected {wanted} of control.yaml that has it, got {known or 'none'}"
            raise UnknownTermError(msg)
        return found[0]


def read_control(path: Path) -> ControlSettings:
    """Read a ``control.yaml``; paths in it are relative to its folder.

    Raises
    ------
    SchemaError
        If the file isn't there or isn't valid; names each key.
    """
    folder = path.resolve().parent
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8"))
        settings = ControlSettings.model_validate(stated, context={"folder": folder})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{path}: expected the addresses of a twin's devices, got: {error}; without it nothing can be sent"
        raise SchemaError(msg) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {fault_text(one)}" for one in error.errors())
        msg = f"{path}: {faults}"
        raise SchemaError(msg) from error
    people = {name: str(folder / file) for name, file in settings.people.items()}
    return settings.model_copy(update={"keys": str(folder / settings.keys), "people": people})
