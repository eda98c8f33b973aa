"""Run the quality tests that a model's signals name, each by itself, on the history of an asset type."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.asset_types import AssetType
from twinlab.model.terms import nearest
from twinlab.quality.registry import QUALITY_TESTS
from twinlab.quality.signal_tests import run_test

if TYPE_CHECKING:
    from twinlab.model.extensions.quality_test import QualityTest

__all__ = ["run_observation_tests", "run_tests"]


def run_tests(
    dataset: xr.Dataset,
    asset_type: AssetType,
    tests: Collection[str] | None = None,
    *,
    properties: Mapping[str, Mapping[str, object]] | None = None,
) -> xr.Dataset:
    """Return the flags of each quality test that the signals of an asset type name under ``tests:``.

    Unlike the flags in a history, which contain the worst of all tests of one signal, these say which test gave which
    flag, and include the tests that need other signals of the asset, or all assets. As in the build of history, a value
    outside the sensor's span is missing to the tests.

    Parameters
    ----------
    dataset : Dataset, dims ``time, asset``
        As ``twin.history(asset_type)`` returns it, of all assets if they are to be compared. A test whose signal isn't in
        it is left out.
    asset_type : AssetType
        The part of the model that describes the data: ``model.asset_types[name]``.
    tests : collection of str, optional
        Names of tests in the registry; by default all that the signals name.
    properties : mapping, optional
        Asset -> property -> value, for sensor spans and groups of peers that depend on properties of the asset.

    Returns
    -------
    Dataset, uint8, same dims
        ``<signal>_<test>_qc``, with the attributes ``signal`` and ``test``; lazy where the data are.

    Raises
    ------
    UnknownTermError
        If no signal names one of ``tests``.
    SchemaError
        If a test needs another signal that isn't in the dataset.

    Examples
    --------
    >>> from twinlab.model import AssetType
    >>> room = AssetType.model_validate(
    ...     {"signals": {"t": {"unit": "degC", "resolution": 0.1, "tests": {"peers": {"resolution": 0.1}}}}}
    ... )
    >>> data = xr.Dataset({"t": (("time", "asset"), [[4.0, 4.1, 3.9, 4.2, 4.0, 7.5]])}, {"time": [np.datetime64(0, "ns")]})
    >>> run_tests(data, room).t_peers_qc.values.tolist()
    [[1, 1, 1, 1, 1, 3]]
    """
    named = {test for signal in asset_type.signals.values() for test in signal.tests}
    for asked in tests or ():
        if asked not in named:
            msg = f"no signal names the quality test {asked!r} under `tests:`{nearest(asked, named)}"
            raise UnknownTermError(msg)
    found = {}
    shown: dict[str, xr.DataArray] = {}
    for name, signal in asset_type.signals.items():
        for test_name, given in signal.tests.items():
            test = QUALITY_TESTS.get(test_name)
            if name not in dataset or test.scope == "observations" or (tests is not None and test_name not in tests):
                continue
            options = test.parse(given, unit=signal.unit)
            needed = test.others(options)
            for one in (name, *needed):
                if one not in shown:
                    shown[one] = _shown(dataset, asset_type, one, properties or {}, test=test, of=name)
            others = xr.Dataset({one: shown[one] for one in needed}) if test.scope == "asset" else None
            values = _with_properties(shown[name], properties or {}, getattr(options, "group", None))
            key = f"{name}_{test_name}_qc"
            flags = run_test(test, values, options, others).rename(key).reset_coords(drop=True)
            found[key] = flags.assign_attrs(signal=name, test=test_name)
    return xr.Dataset(found)


def run_observation_tests(
    observations: pd.DataFrame, asset_type: AssetType, signal: str, *, time: str = "time", value: str = "value"
) -> pd.DataFrame:
    """Return the flags that the tests of exact times and of the source's status give to observations.

    Parameters
    ----------
    observations : DataFrame
        Of one signal of one asset, such as ``twin.observations(asset, signal)`` returns: a column of times (UTC, in any
        order), one of values, and ``status`` if the source states one.
    asset_type : AssetType
        Its signals name the tests, such as ``cadence``, ``summer_time`` and ``status``, under ``tests:``.
    signal : str
        The signal of the observations.
    time, value : str
        Names of the columns.

    Returns
    -------
    DataFrame, uint8
        A column a test, on the index of the observations.

    Raises
    ------
    SchemaError
        If a column is missing.

    Examples
    --------
    >>> room = AssetType.model_validate(
    ...     {"signals": {"t": {"resolution": 0.1, "tests": {"cadence": {"expected": "1min", "tolerance": "5s"}}}}}
    ... )
    >>> times = pd.to_datetime(["2026-01-01T00:00:00", "2026-01-01T00:01:00", "2026-01-01T00:01:03"])
    >>> run_observation_tests(pd.DataFrame({"time": times, "value": [1.0, 2, 3]}), room, "t").cadence.tolist()
    [2, 1, 3]
    """
    for column in (time, value):
        if column not in observations:
            msg = f"expected a column {column!r} in the observations, got {list(observations.columns)}"
            raise SchemaError(msg)
    ordered = observations.sort_values(time, kind="stable")
    stamps = pd.DatetimeIndex(pd.to_datetime(ordered[time], utc=True)).tz_localize(None).as_unit("ns")
    numbers = pd.to_numeric(ordered[value], errors="coerce").to_numpy(dtype=np.float64)
    spec = asset_type.signals[signal]
    given = xr.DataArray(numbers, {"time": stamps.to_numpy()}, ("time",), signal, {"units": spec.unit})
    if "status" in ordered:
        given = given.assign_coords(status=("time", ordered["status"].to_numpy(dtype=object)))
    found = {}
    for name, options in spec.tests.items():
        test = QUALITY_TESTS.get(name)
        if test.scope == "observations":
            found[name] = run_test(test, given, test.parse(options, unit=spec.unit)).to_numpy()
    return pd.DataFrame(found, index=ordered.index, dtype=np.uint8).reindex(observations.index)


def _shown(
    dataset: xr.Dataset,
    asset_type: AssetType,
    name: str,
    properties: Mapping[str, Mapping[str, object]],
    *,
    test: QualityTest,
    of: str,
) -> xr.DataArray:
    """Return a signal's values within the sensor's span, with its unit."""
    if name not in dataset:
        msg = (
            f"expected the signal {name!r} in the data, which the quality test {test.name!r} of {of!r} needs; got "
            f"{sorted(map(str, dataset.data_vars))}; read it too"
        )
        raise SchemaError(msg)
    values, signal = dataset[name], asset_type.signals[name]
    if "sensor_span" in signal.limits_of_assets:
        assets = [str(one) for one in values.asset.values] if "asset" in values.coords else []
        limits = asset_type.limits(name, assets, properties)
        low, high = (xr.DataArray(row, dims="asset") for row in limits[:2])
        values = values.where((values >= low) & (values <= high))
    elif isinstance(signal.sensor_span, tuple):
        values = values.where((values >= signal.sensor_span[0]) & (values <= signal.sensor_span[1]))
    return values.assign_attrs(units=signal.unit)


def _with_properties(
    values: xr.DataArray, properties: Mapping[str, Mapping[str, object]], group: str | None
) -> xr.DataArray:
    """Add the property by which assets are compared as a coordinate, unless the data have it."""
    if group is None or group in values.coords or "asset" not in values.coords:
        return values
    of_asset = [str(properties.get(str(one), {}).get(group)) for one in values.asset.values]
    return values.assign_coords({group: ("asset", np.array(of_asset, dtype=object))})
