"""A kind of rule: what a rule of this kind is about, its options, and how its exceptions are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from twinlab.model.extensions.options import Options, checked_options

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RuleKind", "no_faults"]


def no_faults(options: object, spec: object) -> Sequence[str]:
    """Return no fault: for a kind whose options fit every asset type or event type.

    >>> no_faults(None, None)
    ()
    """
    del options, spec
    return ()


@dataclass(frozen=True)
class RuleKind:
    """A kind of rule that a rule in ``twin.yaml`` has as a key: ``when``, ``silent``, ``late``, or one of a package.

    Parameters
    ----------
    name : str
        The key in ``twin.yaml``, and what the entry point is called. The key's value are the options.
    find : callable
        ``find(twin, name, rule, *, start_ns, stop_ns) -> DataFrame``: the spans in which the rule of that name is broken
        that overlap ``[start, stop)``, as `twinlab.events.exception_rows` makes them of columns. ``twin`` is a
        `TwinReader`, ``rule.on`` the asset type or event type, ``rule.options`` the options. What was observed or happened
        after the stop must not count; a span that hasn't ended by then has no ``until``.
    options : type of Options
        Options of the kind. The options of twinlab's own kinds are keys of the rule itself.
    on : {"asset type", "event type"}
        What ``on`` of such a rule names.
    faults : callable
        ``faults(options, spec) -> sentences``: what of the options doesn't fit the `AssetType` or `EventType` that ``on``
        names, such as a signal that it doesn't have; no sentence if all fits.
    """

    name: str
    find: Callable[..., pd.DataFrame]
    options: type[Options] = Options
    on: Literal["asset type", "event type"] = "asset type"
    faults: Callable[[Any, Any], Sequence[str]] = no_faults

    def parse(self, given: object) -> Options:
        """Return the options as their class validates them.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(self.options, given, what=f"a rule of the kind {self.name!r}", place=(self.name,))
