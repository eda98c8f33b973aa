"""Read and write ``calibration.yaml``; every fault has its line and its path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from twinlab.model.calibration.pieces import Calibration, Calibrations
from twinlab.model.load import parse_as, tidy_yaml
from twinlab.model.yamltext import read_text

__all__ = ["dump_calibrations", "load_calibrations", "parse_calibrations"]


def load_calibrations(path: Path | str) -> Calibrations:
    """Read a ``calibration.yaml``; see `parse_calibrations`."""
    return parse_calibrations(read_text(Path(path)), str(path))


def parse_calibrations(text: str, name: str = "calibration.yaml") -> Calibrations:
    """Read calibrations from YAML.

    Parameters
    ----------
    text : str
        A list under the key ``calibrations``; an empty text has none.
    name : str
        Name of the file, for messages.

    Raises
    ------
    SchemaError
        With a line for each fault: file, line, path, what was expected, what was found.

    >>> found = parse_calibrations('''
    ... calibrations:
    ...   - {asset: room/3, signal: temperature, from: 2026-03-01, offset: -0.5, reason: reads 0.5 degC too high}
    ... ''')
    >>> found.calibrations[0].offset
    -0.5
    """
    return parse_as(Calibrations, text if text.strip() else "calibrations: []", name, first="calibrations:")


def dump_calibrations(calibrations: Calibrations | Iterable[Calibration]) -> str:
    """Return calibrations as tidy YAML, without what is default; `parse_calibrations` reads it back equal.

    >>> one = Calibration(asset="room/3", signal="temperature", offset=-0.5, reason="reads 0.5 degC too high")
    >>> print(dump_calibrations([one]), end="")
    calibrations:
    - asset: room/3
      signal: temperature
      offset: -0.5
      reason: reads 0.5 degC too high
    """
    if not isinstance(calibrations, Calibrations):
        calibrations = Calibrations(calibrations=tuple(calibrations))
    if not calibrations.calibrations:
        return "calibrations: []\n"
    # One line a key, so that a change of one number is a change of one line.
    return "calibrations:\n" + "".join(_entry(one) for one in calibrations.calibrations)


def _entry(one: Calibration) -> str:
    text = tidy_yaml(one.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True, mode="json"))
    return "- " + text.rstrip("\n").replace("\n", "\n  ") + "\n"
