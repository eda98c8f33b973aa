"""A quality test: its function, its options, and how far around a sample it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from twinlab.model.extensions.options import Options, checked_options

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["QualityTest", "Scope", "no_others", "no_reach"]

SignalKind = Literal["gauge", "state", "counter"]
#: What a test must see to judge one sample; see `QualityTest`.
Scope = Literal["signal", "asset", "type", "observations"]
Reach = tuple[int, int]


def no_reach(options: object, step: int) -> Reach:
    """Return the reach of a test that judges each sample by itself.

    >>> no_reach(None, 60 * 10**9)
    (0, 0)
    """
    del options, step
    return 0, 0


def no_others(options: object) -> tuple[str, ...]:
    """Return the other signals of a test that needs none.

    >>> no_others(None)
    ()
    """
    del options
    return ()


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
        several threads may call the function at once. With the scope "asset" it is called with a second argument, the
        Dataset of the ``others`` on the same coordinates.
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
        memory, piece by piece with ``reach`` around each. Other scopes than "signal" need lazy arrays.
    scope : {"signal", "asset", "type", "observations"}
        What the function must see. "signal": one series, so that the build of history runs it. "asset": other signals of
        the same asset too. "type": all assets of the type, in the dimension ``asset``. "observations": the observations at
        their exact times (which may repeat) instead of cells, with the source's ``status`` as a coordinate. Tests of the
        last three are run by `twinlab.quality.run_tests` and ``twin.check()``; they change no flag of the history.
    others : callable
        ``others(options) -> names`` of the other signals that a test of the scope "asset" is called with.

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
    scope: Scope = "signal"
    others: Callable[[Any], tuple[str, ...]] = no_others

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

    def run(self, values: xr.DataArray, options: Options, others: xr.Dataset | None = None) -> xr.DataArray:
        """Return the function's flags for values, and ``others`` with the scope "asset"; see ``function``."""
        given = {name: getattr(options, name) for name in type(options).model_fields}
        return self.function(values, others, **given) if self.scope == "asset" else self.function(values, **given)
