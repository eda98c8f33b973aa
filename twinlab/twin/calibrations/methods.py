"""The methods of `twinlab.Twin` that concern calibrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from twinlab.errors import SchemaError
from twinlab.events.reading import instant_ns
from twinlab.model.calibration import Calibration, Calibrations
from twinlab.model.extensions.options import fault_text
from twinlab.twin.calibrations.readers import AsOfReader
from twinlab.twin.calibrations.store import CalibrationStore

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.compute.handles import Opening
    from twinlab.history import HistoryReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["CalibrationMethods"]

Parsed = TypeVar("Parsed", Calibration, Calibrations)


class CalibrationMethods:
    """Calibrate signals, list calibrations, and see what they change; of `twinlab.Twin`."""

    _calibration_store: CalibrationStore

    if TYPE_CHECKING:

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

    def calibrate(
        self,
        asset: str,
        signal: str,
        *,
        offset: float | Mapping[object, float] = 0.0,
        gain: float | Mapping[object, float] = 1.0,
        since: object = None,
        until: object = None,
        interval: tuple[float, float] | None = None,
        reason: str,
        author: str,
        replace: bool = False,
    ) -> None:
        r"""Correct a gauge of one asset by ``gain * value + offset``, on read, from an instant until another.

        It is written into ``calibration.yaml``, whose comments stay, and into the twin's journal. Nothing stored changes:
        ``twin.history(…, calibrated=True)`` has the corrected values.

        Parameters
        ----------
        asset : str
            As type/id: ``"cold_room/3"``.
        signal : str
            A gauge.
        offset, gain : float, or mapping of instants to floats
            The offset is in the signal's unit. Between the instants both are linear, before and after them constant.
        since, until : instant, optional
            Half-open span; naive is UTC, None is open.
        interval : (float, float), optional
            Interval that contains the correction at its last point with 90 % probability, in the signal's unit.
        reason, author : str
            Why, with numbers; and who decided it.
        replace : bool
            End the sensor's calibrations that overlap it where it begins; `remove_calibrations` withdraws them.

        Raises
        ------
        SchemaError
            If another calibration of the sensor overlaps it and ``replace`` is False, or a value isn't valid.
        UnknownTermError
            If the twin doesn't have the asset or the signal; shows the nearest.

        Examples
        --------
        >>> import tempfile, pathlib, twinlab as tl
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n2026-03-01T00:01Z,2.2\n")
        >>> twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
        >>> _ = twin.ingest(folder / "gauge.csv")
        >>> twin.calibrate("gauge/gauge", "level", offset=-0.1, reason="zero was 0.1 m too low", author="ann")
        >>> twin.history("gauge", calibrated=True).level_calibrated.values.round(2).tolist()
        [[2.0], [2.1]]
        """
        keys = {
            "asset": asset,
            "signal": signal,
            "from": _instant(since),
            "until": _instant(until),
            "offset": _by_time(offset),
            "gain": _by_time(gain),
            "interval": interval,
            "reason": reason,
        }
        self.add_calibration(_validated(Calibration, keys), author=author, replace=replace)

    def add_calibration(self, calibration: Calibration, *, author: str, replace: bool = False) -> None:
        """Apply a `twinlab.model.Calibration`, such as one that a drift test proposes; as `calibrate`."""
        told = {"author": _author(author), "date": datetime.now(UTC).replace(microsecond=0)}
        self._calibration_store.add(
            calibration.model_copy(update=told), replace=replace, model=self.model, assets=self._asset_ids
        )

    def remove_calibrations(self, asset: str, signal: str, *, at: object = None, author: str, reason: str) -> int:
        """Withdraw the calibrations of a sensor, or the one that applies at an instant; return how many there were.

        The entries leave ``calibration.yaml``; the journal keeps them, and who withdrew them when and why.

        Raises
        ------
        SchemaError
            If the sensor has none (at that instant), or ``author`` or ``reason`` is empty.
        """
        if not reason.strip():
            msg = "expected a reason in words, got an empty text"
            raise SchemaError(msg)
        when = None if at is None else instant_ns(at)

        def wanted(one: Calibration) -> bool:
            since, until = one.span_ns
            return (one.asset, one.signal) == (asset, signal) and (when is None or since <= when < until)

        number = self._calibration_store.remove(wanted, author=_author(author), reason=reason)
        if not number:
            then = "" if at is None else f" at {at}"
            msg = f"expected a calibration of {signal} of {asset}{then}, but there is none; twin.calibrations() lists them"
            raise SchemaError(msg)
        return number

    def record_calibrations(self, *, author: str, reason: str) -> bool:
        """Note in the journal who edited ``calibration.yaml`` by hand and why; return False if there is nothing new.

        Edits apply without it. `as_of` knows the calibrations of an earlier time from the journal.

        Raises
        ------
        SchemaError
            If the file is broken, or ``author`` or ``reason`` is empty.
        """
        if not reason.strip():
            msg = "expected a reason in words, got an empty text"
            raise SchemaError(msg)
        return self._calibration_store.record(
            author=_author(author), reason=reason, model=self.model, assets=self._asset_ids
        )

    def calibrations(self, *, history: bool = False) -> pd.DataFrame:
        """Return the calibrations that apply, a row each.

        Parameters
        ----------
        history : bool
            Instead, the versions of ``calibration.yaml`` in the journal: ``time, author, reason``, the ``asset`` and ``signal``
            that `calibrate` changed ("" for edits by hand), and the number of ``calibrations`` since then.

        Returns
        -------
        DataFrame
            ``asset, signal, since, until`` (NaT: open), ``offset`` and ``gain`` (the last ones), ``points`` (instants at which
            they are stated; 0 if they are constant), ``low`` and ``high`` (of the interval), ``reason, author, date``.

        Raises
        ------
        SchemaError
            If the file breaks its schema, or names what the twin doesn't have; each fault with its line.
        """
        if history:
            return self._calibration_store.versions()
        return _table(self._calibrations_now())

    def calibrated_exceptions(
        self,
        *,
        start: object = None,
        stop: object = None,
        rules: Sequence[str] | None = None,
        calibrations: Calibration | Iterable[Calibration] | None = None,
    ) -> pd.DataFrame:
        """Return the exceptions that would not have fired, would have fired, or at another time, with calibrated values.

        Parameters
        ----------
        start, stop : instant, optional
            Half-open span; by default where the calibrations apply and there are values, and a day around.
        rules : sequence of str, optional
            All by default.
        calibrations : Calibration, or several, optional
            Those of ``calibration.yaml`` by default: give others to see their effect before they are applied.

        Returns
        -------
        DataFrame
            A row an exception: ``change`` (vanished, appeared, moved or split), ``rule, title, severity, asset_type, asset``;
            ``start`` and ``end`` with calibration and ``start_before`` and ``end_before`` without; ``value, value_before,
            limit`` in ``unit``; ``key`` and ``key_before``.

        Raises
        ------
        UnknownTermError
            If the model has no such rule.
        SchemaError
            If ``calibration.yaml`` can't be used, or ``start`` isn't before ``stop``.

        Notes
        -----
        Flags are of the values before calibration: a reading that failed its tests raises no exception in either case.
        """
        from twinlab.twin.calibrations.comparison import changed_exceptions, span_of  # noqa: PLC0415  (loads the rules)

        found = self._calibrations_now() if calibrations is None else _several(calibrations)
        low, high = span_of(self.reader, found, start, stop)
        return changed_exceptions(self.reader, found, start=low, stop=high, rules=rules)

    def _with_calibrated(
        self, data: xr.Dataset, asset_type: str, calibrated: Literal[True] | Calibration | Iterable[Calibration]
    ) -> xr.Dataset:
        from twinlab.history.calibrated.datasets import with_calibrated  # noqa: PLC0415  (most reads need none)

        found = self._calibrations_now() if calibrated is True else _several(calibrated)
        return with_calibrated(data, found, asset_type, self.model.asset_types[asset_type].signals)

    def _as_of(self, reader: HistoryReader, known: object, opening: Callable[[], Opening]) -> AsOfReader:
        """Return a reader with the calibrations that were known at an instant; None is now."""
        store = self._calibration_store
        if known is None:
            return AsOfReader.of(reader, self._calibrations_now, opening)
        return AsOfReader.of(reader, lambda: store.recorded(known=instant_ns(known)), opening)

    def _calibration_summary(self) -> tuple[list[str], list[str]]:
        return self._calibration_store.summary(self.model, self._asset_ids)

    def _calibrations_now(self) -> Calibrations:
        return self._calibration_store.current(self.model, self._asset_ids)

    def _asset_ids(self, asset_type: str) -> frozenset[str]:
        return frozenset(str(one) for one in self.reader.assets(asset_type).index)


def _several(given: Calibration | Iterable[Calibration]) -> Calibrations:
    return _validated(Calibrations, {"calibrations": (given,) if isinstance(given, Calibration) else tuple(given)})


def _author(given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        msg = f"expected who decides it, got author {given!r}"
        raise SchemaError(msg)
    return given.strip()


def _instant(when: object) -> datetime | None:
    if when is None:
        return None
    return datetime.fromtimestamp(instant_ns(when) // 10**3 / 10**6, UTC)


def _by_time(given: float | Mapping[object, float]) -> object:
    return {_instant(when): number for when, number in given.items()} if isinstance(given, Mapping) else given


def _validated(kind: type[Parsed], keys: Mapping[str, object]) -> Parsed:
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        return kind.model_validate(keys)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc'])) or kind.__name__}: {fault_text(one)}" for one in error.errors()]
        raise SchemaError("\n".join(dict.fromkeys(lines))) from error


def _table(found: Calibrations) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    rows = []
    for one in found.calibrations:
        points = [len(part) for part in (one.offset, one.gain) if isinstance(part, dict)]
        low, high = one.interval or (np.nan, np.nan)
        last = {name: _last(part) for name, part in (("offset", one.offset), ("gain", one.gain))}
        when = {name: _naive(getattr(one, name)) for name in ("since", "until", "date")}
        rows.append(
            {"asset": one.asset, "signal": one.signal, **when, **last, "points": max(points, default=0), "low": low, "high": high}
            | {"reason": one.reason, "author": one.author or ""}
        )  # fmt: skip
    types = dict.fromkeys(("asset", "signal"), "str") | dict.fromkeys(("since", "until"), "datetime64[ns]")
    types |= {"offset": "float64", "gain": "float64", "points": "int64", "low": "float64", "high": "float64"}
    types |= {"reason": "str", "author": "str", "date": "datetime64[ns]"}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _last(by_time: float | dict[datetime, float]) -> float:
    return list(by_time.values())[-1] if isinstance(by_time, dict) else by_time


def _naive(instant: datetime | None) -> np.datetime64:
    return np.datetime64("NaT", "ns") if instant is None else np.datetime64(instant.replace(tzinfo=None), "ns")
