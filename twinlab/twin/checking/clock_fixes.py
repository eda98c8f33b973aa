"""The fix of a wrong clock: a clock of its own for the asset, in the table or stream of the mapping that its rows are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import SchemaError, TwinlabError
from twinlab.model.edits.yaml_edit import document, put, value_of
from twinlab.model.load import parse_mapping
from twinlab.model.mapping import ClockRule
from twinlab.model.yamltext import path_text, write_line
from twinlab.twin.checking.report_lines import yaml_instant

if TYPE_CHECKING:
    from twinlab.twin.checking.origins import Origin

__all__ = ["ClockChange", "ClockFix"]


@dataclass(frozen=True)
class ClockFix:
    """By how much the values of an asset come late, for a time."""

    asset: str
    signal: str
    shift: np.timedelta64
    """Negative if they come early."""
    since: np.datetime64 | None = None
    """As the times are read now."""
    until: np.datetime64 | None = None

    def rule(self) -> dict[str, Any]:
        """Return the entry of ``clocks:`` that undoes it.

        >>> ClockFix("T7", "speed", np.timedelta64(90, "m"), since=np.datetime64("2026-02-19T10:55")).rule()
        {'assets': ['T7'], 'shift': '90min', 'shift_sign': -1, 'valid_from': '2026-02-19T10:55:00Z'}
        """
        found: dict[str, Any] = {"assets": [self.asset], "shift": _duration(abs(self.shift))}
        if self.shift > np.timedelta64(0, "s"):
            found["shift_sign"] = -1
        for key, instant in (("valid_from", self.since), ("valid_until", self.until)):
            if instant is not None:
                found[key] = yaml_instant(instant)
        return found


@dataclass(frozen=True)
class ClockChange:
    """A clock for one asset, to be written into the mapping of its source."""

    origin: Origin
    fix: ClockFix
    file: str
    """The mapping's file in the twin's folder: ``mapping/fridges.yaml``."""
    clocks: tuple[ClockRule, ...] = ()
    """Those of the table or stream when the data were checked."""

    @property
    def _path(self) -> tuple[str | int, ...]:
        return (*self.origin.path[: 2 if self.origin.path[0] == "tables" else 1], "clocks")

    def line(self, text: str) -> str:
        """Return the list of clocks as one line of YAML, with file and place as a comment; "" if it can't be made."""
        try:
            made = self.applied(text)
        except TwinlabError:
            return ""
        clocks = write_line(value_of(document(made).data, self._path))
        return f"clocks: {clocks}  # {self.file}, {path_text(self._path[:-1])}"

    def applied(self, text: str) -> str:
        """Return the text of the mapping with the clock; unchanged if the fix of another signal of the asset has added it.

        Raises
        ------
        SchemaError
            If the text isn't a mapping with this table or stream, or a clock that it has is for this asset already.
        """
        holder = value_of(document(text, name=self.file).data, self._path[:-1])
        if not isinstance(holder, dict):
            msg = f"expected {path_text(self._path[:-1])} in {self.file}, as the history was built with it; check again"
            raise SchemaError(msg)
        old = list(holder.get("clocks") or [])
        mine = [ClockRule.model_validate(one) for one in old]
        if any(one not in self.clocks and one.covers(self.fix.asset) for one in mine):
            return text
        if any(one.covers(self.fix.asset) for one in mine):
            msg = (
                f"{self.fix.asset!r} has a clock in {path_text(self._path)} of {self.file}, and its values still come at "
                "another time than those of the others; correct that entry"
            )
            raise SchemaError(msg)
        made = put(text, self._path, [*old, self.fix.rule()])
        parse_mapping(made, self.file)
        return made


def _duration(span: np.timedelta64) -> str:
    seconds = round(float(span / np.timedelta64(1, "s")))
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
