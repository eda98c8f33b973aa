"""Physical consistency against slow oracles, and what the tests are for."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnitError
from twinlab.quality import consistency_flags, response_flags

SECOND = np.timedelta64(1, "s")


def _slow_balance(values, counter, seconds, over, within, limits, *, rates) -> list[int]:
    found = []
    rows = np.flatnonzero(~np.isnan(values) & ~np.isnan(counter))
    for place, value in enumerate(values):
        if np.isnan(value) or np.isnan(counter[place]):
            found.append(9 if np.isnan(value) else 2)
            continue
        run = [place]
        for row in rows[rows < place][::-1]:
            if seconds[run[-1]] - seconds[row] > within or counter[run[-1]] < counter[row]:
                break
            run.append(row)
        starts = [row for row in run if seconds[place] - seconds[row] >= over]
        if not starts:
            found.append(2)
            continue
        start = starts[0]
        inside = np.arange(start, place + 1)
        inside = inside[~np.isnan(values[inside])]
        counted = counter[place] - counter[start]
        if rates:
            span = seconds[place] - seconds[start]
            distance = abs(np.trapezoid(values[inside], seconds[inside]) - counted) / span
        else:
            distance = abs(values[inside[1:]].sum() - counted)
        found.append(4 if distance > limits[1] else 3 if distance > limits[0] else 1)
    return found


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), over=st.integers(1, 60), within=st.integers(5, 40), rates=st.booleans())
def test_a_window_is_compared_with_what_the_counter_counted(seed: int, over: int, within: int, rates: bool) -> None:
    random = np.random.default_rng(seed)
    seconds = np.cumsum(random.integers(1, 9, 50))
    values = random.integers(0, 5, (50, 3)).astype(float)
    counter = np.cumsum(values * (np.diff(seconds, prepend=0)[:, None] if rates else 1), axis=0)
    counter[30:, 1] -= counter[30, 1]
    counter += random.integers(0, 3, counter.shape)
    for table in (values, counter):
        table[random.random(table.shape) < 0.15] = np.nan
    coords = {"time": np.datetime64("2026-01-01", "ns") + seconds * SECOND}
    data = xr.Dataset({"v": (("time", "asset"), values), "n": (("time", "asset"), counter)}, coords)
    limits = (0.3456789, 1.23456789)
    expected = np.stack(
        [
            _slow_balance(v, n, seconds, over, within, limits, rates=rates)
            for v, n in zip(values.T, counter.T, strict=True)
        ],
        axis=1,
    )
    options = {"counter": "n", "over": f"{over}s", "within": f"{within}s", "suspect": limits[0], "fail": limits[1]}
    options["kind"] = "rate" if rates else "increase"
    assert (consistency_flags(data.v, data, **options) == expected).all()
    lazy = data.chunk(time=9)
    assert (consistency_flags(lazy.v, lazy, **options) == expected).all()


def test_a_speed_in_the_wrong_unit_contradicts_the_odometer() -> None:
    random = np.random.default_rng(1)
    minutes = np.datetime64("2026-01-01", "ns") + np.arange(600) * 60 * SECOND
    speed = 60 + random.normal(0, 3, 600)
    odometer = 12_000 + np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2 / 60)])
    # From the middle on, the tracker writes miles an hour.
    shown = np.where(np.arange(600) < 300, speed, speed / 1.609344)
    data = xr.Dataset(
        {"speed": ("time", shown, {"units": "km/h"}), "odometer": ("time", odometer.round(1), {"units": "km"})},
        {"time": minutes},
    )
    flags = consistency_flags(data.speed, data, counter="odometer", over="10min", suspect=5, fail=50).to_numpy()
    assert (flags[:10] == 2).all() and (flags[10:300] == 1).all() and (flags[315:] == 3).all()
    data.odometer.attrs["units"] = "kWh"
    with pytest.raises(UnitError, match="'speed' in 'km/h' to be a rate of 'odometer' in 'kWh'"):
        consistency_flags(data.speed, data, counter="odometer", over="10min", suspect=5)


def _slow_response(values, states, seconds, codes, lasting, within, held, by) -> list[int]:
    found, met = [], []
    for place, value in enumerate(values):
        ok = True
        for row, wanted in zip(states, codes, strict=True):
            rows = np.flatnonzero(~np.isnan(row[: place + 1]))
            ok = ok and rows.size > 0 and seconds[place] - seconds[rows[-1]] <= held and row[rows[-1]] in wanted
        met.append(ok)
        if np.isnan(value):
            found.append(9)
            continue
        since = place
        while since >= 0 and met[since]:
            since -= 1
        before = [
            row
            for row in range(since + 1, place)
            if seconds[place] - seconds[row] >= lasting and not np.isnan(values[row])
        ]
        if not ok or not before or seconds[place] - seconds[before[-1]] > lasting + within:
            found.append(2)
        else:
            found.append(3 if value - values[before[-1]] > by else 1)
    return found


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    lasting=st.integers(1, 30),
    within=st.integers(1, 20),
    held=st.integers(5, 60),
    never=st.sampled_from(["rises", "falls"]),
)
def test_a_value_must_not_move_the_wrong_way_while_the_states_last(
    seed: int, lasting: int, within: int, held: int, never: str
) -> None:
    random = np.random.default_rng(seed)
    seconds = np.cumsum(random.integers(1, 9, 50))
    values = np.cumsum(random.integers(-2, 3, (50, 2)), axis=0).astype(float)
    values[random.random(values.shape) < 0.2] = np.nan
    states = random.choice([0, 1, 1, 1, 2, np.nan, np.nan, np.nan, np.nan], (2, 50, 2))
    coords = {"time": np.datetime64("2026-01-01", "ns") + seconds * SECOND}
    tables = {"t": values, "compressor": states[0], "door": states[1]}
    data = xr.Dataset({name: (("time", "asset"), table) for name, table in tables.items()}, coords)
    sign = 1 if never == "rises" else -1
    expected = np.stack(
        [
            _slow_response(sign * values[:, j], states[:, :, j], seconds, [{1, 2}, {1}], lasting, within, held, 1.5)
            for j in range(2)
        ],
        axis=1,
    )
    options = {"when": {"compressor": [1, 2], "door": [1]}, "never": never, "by": 1.5}
    options |= {"lasting": f"{lasting}s", "within": f"{within}s", "held": f"{held}s"}
    assert (response_flags(data.t, data, **options) == expected).all()
    lazy = data.chunk(time=9)
    assert (response_flags(lazy.t, lazy, **options) == expected).all()


def test_wrong_arguments_are_refused() -> None:
    coords = {"time": np.datetime64("2026-01-01", "ns") + np.arange(2) * SECOND}
    data = xr.Dataset({"t": ("time", [1.0, 2.0]), "door": ("time", [0.0, 1.0])}, coords)
    with pytest.raises(SchemaError, match="kind='rate' or 'increase'"):
        consistency_flags(data.t, data, counter="door", over="1min", suspect=1, kind="sum")
    for wrong in ({"when": {}}, {"when": {"door": []}}, {"never": "moves"}, {"by": -1}):
        with pytest.raises(SchemaError, match="a state with its codes in when"):
            response_flags(
                data.t, data, **({"when": {"door": [0]}, "never": "rises", "by": 1, "lasting": "1min"} | wrong)
            )
    with pytest.raises(SchemaError, match="signal 'dor' among the others.*did you mean 'door'"):
        response_flags(data.t, data, when={"dor": [0]}, never="rises", by=1, lasting="1min")
