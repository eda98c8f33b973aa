"""What of a twin's ``control.yaml`` concerns people: where keys are, and the audit."""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, Field

from twinlab.errors import ControlError
from twinlab.model.basics import Model
from twinlab.model.load import parse_as
from twinlab.model.yamltext import read_text

__all__ = ["ControlSettings", "read_settings"]

_FILE = "control.yaml"


class ControlSettings(Model):
    """Paths are relative to the twin's folder."""

    # Endpoints are read by `twinlab.control.carriers`.
    model_config = ConfigDict(extra="ignore")

    keys: str = "keys.yaml"
    """File of people and devices with their public keys."""
    people: dict[str, str] = Field(default_factory=dict)
    """Name -> file of the private key, of those who sign on this machine."""


def read_settings(folder: Path) -> ControlSettings:
    """Return the settings of a twin's folder.

    Raises
    ------
    ControlError
        If there is no ``control.yaml``.
    SchemaError
        If it isn't valid.
    """
    path = folder / _FILE
    if not path.is_file():
        msg = f"{path}: expected a file that states where commands go and whose keys count; without it nothing can be approved or sent"
        raise ControlError(msg)
    return parse_as(ControlSettings, read_text(path), str(path), first="keys:")
