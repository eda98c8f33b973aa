"""A quality test: its function, its options, and how far around a sample it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from twinlab.model.extensions.options import Options, checked_options

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["QualityTest", "no_reach"]

SignalKind = Literal["gauge", "state", "counter"]
Reach = tuple[int, int]


def no_reach(options: object, step: int) -> Reach:
    """Return the reach of a test that judges each sample by itself.

    >>> no_reach(None, 60 * 10**9)
    (0, 0)
    """
    del options, step
    return 0, 0


@dataclass(frozen=True)
class QualityTest:
    """A quality test that a signal names under ``tests:`` in ``twin.yaml``.

    Parameters
    ----------
    name : str
        As in ``twin.yaml`` and as the entry point is called.
    function : callable
        ``function(values, **options) -> flags``. ``values`` is a float DataArray with the dimension ``time`` (rising
        datetime64, UTC, no gaps in history) and perhaps others, NaN where there is no sample, in the unit of
        ``values.attrs["units"]``. The result is uint8 of the same dimensions and shape, with the numbers of
        `twinlab.model.flags.Flag`: 9 where the value is NaN, 2 where the test can't judge. ``values`` is read-only;
        several threads may call the function at once.
    options : type of Options
        One field a keyword argument of the function.
    reach : callable
        ``reach(options, step) -> (before, after)``: how many nanoseconds before and after a sample may change its flag,
        where ``step`` is the distance of two samples in nanoseconds. Each sample by itself by default.
    kinds : tuple of {"gauge", "state", "counter"}
        Kinds of signal that the test judges.
    version : int
        Raise it when the same values would get other flags: every history that uses the test is then rebuilt by the next
        ingest; until then readers show it as it was published.
    lazy : bool
        Whether the function accepts lazy (dask) arrays and returns lazy flags. By default it is called with numbers in
        memory, piece by piece with ``reach`` around each.

    Examples
    --------
    >>> from twinlab.quality.built_in import RANGE
    >>> RANGE.parse({"fail_span": ["32 degF", 40]}, unit="degC").fail_span
    (0.0, 40.0)
    """

    name: str
    function: Callable[..., xr.DataArray]
    options: type[Options] = Options
    reach: Callable[[Any, int], Reach] = no_reach
    kinds: tuple[SignalKind, ...] = ("gauge", "counter")
    version: int = 1
    lazy: bool = False

    def parse(self, given: Mapping[str, object] | None, *, unit: str | None = None) -> Options:
        """Return the options as the test's class of options validates them.

        Parameters
        ----------
        given : mapping of str to object
            As ``twin.yaml`` has them.
        unit : str, optional
            Canonical unit of the signal.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(
            self.options, given, what=f"the quality test {self.name!r}", place=("tests", self.name), unit=unit
        )

    def run(self, values: xr.DataArray, options: Options) -> xr.DataArray:
        """Return the function's flags for values; see ``function``."""
        return self.function(values, **{name: getattr(options, name) for name in type(options).model_fields})
