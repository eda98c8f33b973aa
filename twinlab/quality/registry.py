"""The registry of quality tests: those of `twinlab.quality.built_in`, and those that other packages add.

A package adds one with an entry point of the group ``twinlab.quality`` that names a `QualityTest`; a signal then uses it
under ``tests:`` in ``twin.yaml``, and ``array.twin.flags(name={...})`` on plain xarray data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twinlab.model.extensions.quality_test import QualityTest
from twinlab.model.registry import Registry

if TYPE_CHECKING:
    from twinlab.model.twinmodel import TwinModel

__all__ = ["QUALITY_TESTS", "tests_of_cells", "versions_of_tests"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, QualityTest):
        return f"expected a twinlab.model.QualityTest, got a {type(found).__name__}"
    if found.scope != "signal" and not found.lazy:
        return f"expected lazy=True, since its scope is {found.scope!r}: only tests of one signal are called piece by piece"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the test is"


#: Quality tests by name. `gap_flags` isn't one: it judges holes, which history's missing test does for every signal.
QUALITY_TESTS: Registry[QualityTest] = Registry(
    "twinlab.quality",
    kind="quality test",
    built_in={
        "attenuated": "twinlab.quality.signals.built_in:ATTENUATED",
        "cadence": "twinlab.quality.signals.built_in:CADENCE",
        "chatter": "twinlab.quality.signals.built_in:CHATTER",
        "climatology": "twinlab.quality.signals.built_in:CLIMATOLOGY",
        "clock": "twinlab.quality.clocks.built_in:CLOCK",
        "completeness": "twinlab.quality.signals.built_in:COMPLETENESS",
        "conditional": "twinlab.quality.related.built_in:CONDITIONAL",
        "consistency": "twinlab.quality.related.built_in:CONSISTENCY",
        "counter": "twinlab.quality.built_in:COUNTER",
        "departure": "twinlab.quality.drift.built_in:DEPARTURE",
        "drift": "twinlab.quality.drift.built_in:DRIFT",
        "flat_line": "twinlab.quality.built_in:FLAT_LINE",
        "affected": "twinlab.quality.drift.built_in:AFFECTED",
        "level_shift": "twinlab.quality.drift.built_in:LEVEL_SHIFT",
        "reset": "twinlab.quality.drift.built_in:RESET",
        "location": "twinlab.quality.related.built_in:LOCATION",
        "missing": "twinlab.quality.built_in:MISSING",
        "multivariate": "twinlab.quality.related.built_in:MULTIVARIATE",
        "peers": "twinlab.quality.related.built_in:PEERS",
        "range": "twinlab.quality.built_in:RANGE",
        "rate": "twinlab.quality.built_in:RATE",
        "response": "twinlab.quality.related.built_in:RESPONSE",
        "speed": "twinlab.quality.related.built_in:SPEED",
        "spike": "twinlab.quality.built_in:SPIKE",
        "state": "twinlab.quality.built_in:STATE",
        "status": "twinlab.quality.signals.built_in:STATUS",
        "summer_time": "twinlab.quality.clocks.built_in:SUMMER_TIME",
        "transition": "twinlab.quality.signals.built_in:TRANSITION",
        "variability": "twinlab.quality.drift.built_in:VARIABILITY",
        "visit": "twinlab.quality.drift.built_in:VISIT",
    },
    check=_fault,
)


def versions_of_tests(model: TwinModel) -> dict[str, int]:
    """Return the version of each test that the build of history runs for a model; empty if its signals name none."""
    names = {name for kind in model.asset_types.values() for signal in kind.signals.values() for name in signal.tests}
    return {name: QUALITY_TESTS.get(name).version for name in tests_of_cells(sorted(names))}


def tests_of_cells(names: Iterable[str]) -> list[str]:
    """Return those of some tests that the build of history runs, in their order: the ones whose scope is one signal.

    >>> tests_of_cells(["peers", "spike"])
    ['spike']
    """
    return [name for name in names if QUALITY_TESTS.get(name).scope == "signal"]
