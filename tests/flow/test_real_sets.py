"""Published data sets, drafted and ingested: every value, time and label is the one that pandas reads from the file.

The files aren't part of the repository. They are looked for in the folder that TWINLAB_TEST_DATA names, or in ``shared/data`` beside the checkout.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

FOLDER = Path(os.environ.get("TWINLAB_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


def read(name: str) -> pd.DataFrame:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"the data set {name} isn't in {FOLDER}; TWINLAB_TEST_DATA names the folder with it")
    return pd.read_parquet(path)


def twin_of(folder: Path, frame: pd.DataFrame, name: str, **edits: str):
    """Draft a twin of a table, edit texts of its mapping and model as an analyst would, and ingest it."""
    path = folder / f"{name}.parquet"
    frame.to_parquet(path, index=False)
    twin = tl.create(folder / "twin", files=[path])
    for place in ("mapping", "model"):
        file = folder / "twin" / (f"mapping/{name}.yaml" if place == "mapping" else "twin.yaml")
        text = file.read_text(encoding="utf-8")
        for old, new in edits.get(place, ()):
            assert old in text, f"expected {old!r} in the draft:\n{text}"
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
    twin = tl.open(folder / "twin")
    return twin, twin.ingest(path)


def check_counts(report, frame: pd.DataFrame) -> None:
    assert report.rows_read == report.rows_kept == len(frame)
    assert (report.unparseable, report.late, report.unknown) == (0, 0, ())


def check_values(twin, kind: str, signal: str, want: pd.DataFrame, *, exact: bool = True) -> None:
    """Compare a signal with rows ``asset, time, value``, one a cell, in both directions."""
    spec = twin.model.asset_types[kind].signals[signal]
    ds = twin.history(kind, signals=[signal]).compute()
    found = ds[signal].to_series().dropna() if spec.kind != "state" else ds[signal].to_series()
    want = want.dropna(subset=["value"])
    cells = want.time.astype("datetime64[ns]").dt.floor(pd.Timedelta(spec.cadence))
    # The last of several rows in a cell counts.
    index = pd.MultiIndex.from_arrays([cells, want.asset.astype(str)], names=["time", "asset"])
    last = pd.Series(want.value.to_numpy("float64"), index)[~index.duplicated(keep="last")]
    if spec.kind == "state":
        found = found[ds[f"{signal}_qc"].to_series() == 1]
    assert len(found) == len(last)
    # History rounds to the resolution that the draft states; the rows are kept to the last digit.
    half = (spec.resolution or 0) / 2 * (1 + 1e-6)
    np.testing.assert_allclose(found.reindex(last.index).to_numpy(), last.to_numpy(), rtol=0, atol=half)
    if not exact:
        return
    asset = want.asset.iloc[0]
    mine = want[want.asset == asset].sort_values("time", kind="stable")
    rows = twin.observations(f"{kind}/{asset}", signal)
    if spec.kind != "state":
        np.testing.assert_array_equal(rows.value.to_numpy("float64"), mine.value.to_numpy("float64"))


def test_pump_test_bench(tmp_path):
    frame = read("skab/skab.parquet")
    frame = frame[frame.experiment.isin(sorted(frame.experiment.unique())[:4])]
    twin, report = twin_of(tmp_path, frame, "skab")
    (kind,) = twin.model.asset_types
    check_counts(report, frame)
    for column, signal in {"Accelerometer1RMS": "accelerometer1rms", "Pressure": "pressure", "Thermocouple": "thermocouple",
                           "Volume Flow RateRMS": "volume_flow_rms", "anomaly": "anomaly", "changepoint": "changepoint"}.items():  # fmt: skip
        rows = pd.DataFrame({"asset": frame.experiment, "time": frame.datetime, "value": frame[column]})
        check_values(twin, kind, signal, rows)
    assert {twin.model.asset_types[kind].signals[name].role for name in ("anomaly", "changepoint")} == {"label"}


def test_series_with_labels(tmp_path):
    frame = read("nab/nab.parquet")
    names = [
        "realKnownCause/machine_temperature_system_failure.csv",
        "realTraffic/speed_6005.csv",
        "realTweets/Twitter_volume_KO.csv",
    ]
    frame = frame[frame.series.isin(names)].assign(series=lambda f: f.series.astype(str))
    twin, report = twin_of(tmp_path, frame, "nab")
    check_counts(report, frame)
    for column in ("value", "in_window", "is_label"):
        rows = pd.DataFrame({"asset": frame.series, "time": frame.timestamp, "value": frame[column].astype("float64")})
        check_values(twin, "series", column, rows)
    assert twin.model.asset_types["series"].signals["is_label"].role == "label"


def test_turbofan_engines_by_cycle(tmp_path):
    frame = read("cmapss_fd001/train.parquet")
    frame = frame[frame.unit <= 8]
    twin, report = twin_of(tmp_path, frame, "train")
    check_counts(report, frame)
    times = pd.Timestamp("1970-01-01") + pd.to_timedelta(frame.cycle, "h")
    for column in ("set1", "s2", "s9", "s11", "s17", "s20"):
        rows = pd.DataFrame({"asset": frame.unit, "time": times, "value": frame[column]})
        check_values(twin, "unit", column, rows)


def test_hourly_series_by_count(tmp_path):
    frame = read("m4_hourly/m4_hourly.parquet")
    twin, report = twin_of(
        tmp_path, frame, "m4", mapping=[('step: "1s"', "step: 1h")], model=[("cadence: 1s", "cadence: 1h")]
    )
    times = pd.Timestamp("1970-01-01") + pd.to_timedelta(frame.t, "h")
    check_counts(report, frame)
    check_values(twin, "series", "value", pd.DataFrame({"asset": frame.series, "time": times, "value": frame.value}))


def test_raw_and_corrected_water_quality(tmp_path):
    frame = read("lro_water_qc/lro.parquet")
    frame = frame[frame.file.isin(sorted(frame.file.unique())[:2])]
    twin, report = twin_of(tmp_path, frame, "lro")
    check_counts(report, frame)
    (kind,) = twin.model.asset_types
    # Both versions are rows of the signal, of which the corrected one counts.
    for raw, corrected, signal in (("temp", "temp_cor", "temperature"), ("ph", "ph_cor", "ph"), ("do", "do_cor", "do")):
        value = frame[corrected].where(frame[corrected] != -9999)
        value = value.fillna(frame[raw].where(frame[raw] != -9999))
        check_values(
            twin, kind, signal, pd.DataFrame({"asset": frame.file, "time": frame.datetime, "value": value}), exact=False
        )
