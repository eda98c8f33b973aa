"""A kind of KPI: a formula that is ready to use, with options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from twinlab.model.extensions.options import Options, checked_options

__all__ = ["KpiKind"]


@dataclass(frozen=True)
class KpiKind:
    """A KPI that ``twin.yaml`` uses by name, as a key of an entry of ``kpis:``, or ``twin.kpi`` directly.

    Parameters
    ----------
    name : str
        The key in ``twin.yaml``, and what the entry point is called. The key's value are the options.
    title, definition : str
        What it is called, and what it is in words; a KPI in ``twin.yaml`` may have its own.
    formula : callable
        ``formula(options, name, spec) -> str``: the formula over the asset type or event type of that name, whose `AssetType` or
        `EventType` is ``spec``. A ``ValueError`` says what doesn't fit, such as a signal that it doesn't have.
    unit : str
        Unit of the value.
    options : type of Options
        Options of the kind.
    on : {"asset type", "event type"}
        What ``on`` of such a KPI names.
    at : {"planned_start", "start", "planned_end", "end"}, optional
        Of events: which of their times puts them into a window.
    limits : (float, float), optional
        The least and the greatest that the value can be at all, in ``unit``; bounds are cut to them. For a quotient whose parts
        depend on each other, such as a part of a whole: the bounds of its parts alone allow more than 100 %.
    """

    name: str
    title: str
    definition: str
    formula: Callable[[Any, str, Any], str]
    unit: str
    options: type[Options] = Options
    on: Literal["asset type", "event type"] = "asset type"
    at: Literal["planned_start", "start", "planned_end", "end"] | None = None
    limits: tuple[float, float] | None = None

    def parse(self, given: object) -> Options:
        """Return the options as their class validates them.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(self.options, given, what=f"a KPI of the kind {self.name!r}", place=(self.name,))
