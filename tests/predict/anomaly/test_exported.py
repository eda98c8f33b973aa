"""A model as a file of arrays, scored by a module that needs numpy only; angles."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from twinlab.edge import scorer
from twinlab.errors import SchemaError
from twinlab.predict.anomaly import Forest, Pca, RobustZ, fit
from twinlab.predict.anomaly.robust import RobustZFit

DETECTORS = [Pca(), RobustZ(), Forest(trees=20)]
NUMPY_ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("twinlab", "pandas", "xarray", "scipy", "sklearn"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
import numpy as np
from twinlab_scorer import score

model, rows = dict(np.load(sys.argv[1] + "/mast.npz")), np.load(sys.argv[1] + "/rows.npy")
first, state = score(model, rows[:7])
second, state = score(model, rows[7:], state)
np.save(sys.argv[1] + "/index.npy", np.concatenate([first, second]))
assert not {"twinlab", "pandas", "xarray"} & set(sys.modules)
"""


def masts(rows: int = 900, *, seed: int = 0) -> xr.Dataset:
    """Two masts with a wind that turns around north, pressure that drifts, and a missing value now and then."""
    random = np.random.default_rng(seed)
    direction = (random.normal(0, 15, (rows, 2)) + 360) % 360
    speed = 8 + random.normal(0, 1, (rows, 2))
    pressure = 990 + np.linspace(0, 20, rows)[:, None] + random.normal(0, 0.5, (rows, 2))
    speed[random.random(speed.shape) < 0.01] = np.nan
    columns = {
        "wind_direction": (("time", "asset"), direction, {"units": "degree"}),
        "wind_speed": (("time", "asset"), speed, {"units": "m/s"}),
        "pressure": (("time", "asset"), pressure, {"units": "hPa"}),
    }
    return xr.Dataset(columns, {"time": np.arange(rows).astype("M8[m]"), "asset": ["M1", "M2"]})


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: type(one).__name__)
def test_the_exported_file_gives_the_models_scores_to_the_last_bit_with_numpy_alone(
    detector: Pca | RobustZ | Forest, tmp_path: Path
) -> None:
    model = fit(masts(), detector=detector, delay=30).with_limit(1.3)
    assert model.levels.share.any()
    later = masts(60, seed=1)
    later["wind_speed"][40:, 1] += 9
    later["pressure"][40:, 1] += 30
    rows = np.stack([later[name].values for name in model.signals], axis=2)
    module = model.export(tmp_path / "mast.npz")
    assert len(module.read_text().splitlines()) <= 50
    np.save(tmp_path / "rows.npy", rows)
    subprocess.run([sys.executable, "-c", NUMPY_ALONE, str(tmp_path)], check=True, timeout=60)
    index = model.score(later)[0]["index"].values
    assert (index[40:, 1] >= 1).mean() > 0.9 or isinstance(detector, Forest)
    np.testing.assert_array_equal(np.load(tmp_path / "index.npy"), index)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: type(one).__name__)
def test_a_direction_is_compared_as_an_angle(detector: Pca | RobustZ | Forest) -> None:
    usual, south = masts(300, seed=2).fillna(8.0), masts(300, seed=2).fillna(8.0)
    south["wind_direction"][:] = 180.0
    found = []
    for angles in ({}, {"wind_direction": 0.0}):
        model = fit(masts(), detector=detector, follow=0, signals=["wind_direction", "wind_speed"], angles=angles)
        ratio = model.score(south)[0]["index"].mean() / model.score(usual)[0]["index"].mean()
        found.append(float(ratio))
    # As numbers, directions around north have a mean near south.
    assert found[0] > 1.3 > found[1]


def test_the_shares_of_cosine_and_sine_are_those_of_their_signal() -> None:
    rows = masts(300, seed=2).fillna(8.0)
    rows["wind_direction"][:] = 180.0
    scores, _ = fit(masts(), follow=0, signals=["wind_direction", "wind_speed"]).score(rows)
    shares = scores["contribution"].mean(("time", "asset"))
    assert float(shares.sel(signal="wind_direction")) > 0.8
    assert float(shares.sum()) == pytest.approx(1)


def test_other_angles_are_named_and_names_without_a_signal_are_refused() -> None:
    rows = masts().rename(wind_direction="crank")
    assert fit(rows).turns == (0.0, 0.0, 0.0)
    assert fit(rows, angles={"crank": 360}).turns == (360.0, 0.0, 0.0)
    with pytest.raises(SchemaError, match="got 'crnk': 360"):
        fit(rows, angles={"crnk": 360})


def test_trees_as_arrays_give_the_scores_of_the_library() -> None:
    from sklearn.ensemble import IsolationForest

    random = np.random.default_rng(0)
    rows = random.normal(size=(700, 4))
    found = Forest(trees=30, seed=3).fit(rows)
    peer = IsolationForest(n_estimators=30, random_state=3).fit(rows)
    other = random.normal(size=(200, 4)) * 3
    np.testing.assert_allclose(found.index(other) * found.forest_limit, -peer.score_samples(other), rtol=1e-9)


def test_other_files_and_detectors_arent_exported(tmp_path: Path) -> None:
    model = fit(masts())
    with pytest.raises(SchemaError, match=r"ends in \.npz, got 'mast.bin'"):
        model.export(tmp_path / "mast.bin")

    class Largest(RobustZFit):
        def arrays(self) -> dict[str, np.ndarray]:
            return {}

    other = replace(model, detector=Largest(np.zeros(3), np.ones(3), 4.0))
    with pytest.raises(SchemaError, match="got Largest: it can't be written"):
        other.export(tmp_path / "mast.npz")
    assert not list(tmp_path.iterdir())


def test_the_scorer_says_the_same_of_rows_one_by_one() -> None:
    model, rows = fit(masts(), delay=5), masts(25, seed=4)
    values, arrays, state = np.stack([rows[name].values for name in model.signals], axis=2), model.arrays(), None
    whole, _ = scorer.score(arrays, values)
    for place in range(25):
        one, state = scorer.score(arrays, values[place : place + 1], state)
        np.testing.assert_array_equal(one[0], whole[place])
