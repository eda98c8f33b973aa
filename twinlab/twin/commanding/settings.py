"""What of a twin's ``control.yaml`` concerns people: where keys are, and the audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field

from twinlab.errors import ControlError
from twinlab.model.alerts.channel import Channel
from twinlab.model.basics import Model
from twinlab.model.load import parse_as
from twinlab.model.yamltext import read_text

if TYPE_CHECKING:
    from twinlab.signing.keys import KeyRing

__all__ = ["AuditSettings", "ControlSettings", "control_settings", "head_files", "key_ring", "read_settings"]

_FILE = "control.yaml"


class AuditSettings(Model):
    """Who signs the heads of the audit, and where they are copied to."""

    key: str | None = None
    """File of the private key of the device ``audit``; without one, no heads are signed by this machine."""
    heads: list[Channel] = Field(default_factory=list)
    """Second places, each a channel as in ``alerts:``: ``{file: {path: /mnt/other/heads.jsonl}}``."""
    rows: Annotated[int, Field(ge=1, le=128)] = 100
    """A head is signed after so many rows,"""
    seconds: Annotated[float, Field(gt=0)] = 10.0
    """and after so many seconds if there is a new row."""
    grace: Annotated[float, Field(gt=0)] = 3600.0
    """Seconds for which a second place may refuse heads; then no command is sent."""


class ControlSettings(Model):
    """Paths are relative to the twin's folder."""

    # Endpoints are read by `twinlab.control.carriers`.
    model_config = ConfigDict(extra="ignore")

    keys: str = "keys.yaml"
    """File of people and devices with their public keys."""
    people: dict[str, str] = Field(default_factory=dict)
    """Name -> file of the private key, of those who sign on this machine."""
    sealed_keys: str = "control/keys"
    """Folder of private keys that are sealed with the passphrases of their owners, who sign from a page."""
    audit: AuditSettings = Field(default_factory=AuditSettings)
    """The audit's signed heads."""


def control_settings(folder: Path) -> ControlSettings:
    """Return the settings of a twin's folder; the usual ones if it has no ``control.yaml``.

    Raises
    ------
    SchemaError
        If it isn't valid.
    """
    return read_settings(folder) if (folder / _FILE).is_file() else ControlSettings()


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


def key_ring(folder: Path) -> KeyRing:
    """Return the keys of a twin's people and devices: the file that ``keys:`` of ``control.yaml`` names; none if there is no such file."""
    from twinlab.signing.keys import KeyRing as Ring  # noqa: PLC0415  (settings are read without it)
    from twinlab.signing.keys import KeyRingFile  # noqa: PLC0415

    path = folder / control_settings(folder).keys
    return KeyRingFile(path).read() if path.is_file() else Ring(people={})


def head_files(folder: Path) -> list[Path]:
    """Return the second places of a twin's signed heads that are files, as far as these exist."""
    places = [one.options for one in control_settings(folder).audit.heads if one.kind == "file"]
    paths = [folder / str(one.path) for one in places]  # type: ignore[attr-defined]
    return [path for path in paths if path.exists()]
