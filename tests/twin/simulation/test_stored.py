"""Futures that are stored beside the twin."""

import hashlib

import pytest

from twinlab.errors import SchemaError

START = "2026-01-29"


def digest(folder) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".holder":
            whole.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return whole.hexdigest()


def test_futures_are_stored_by_name_and_never_in_the_history(parcel, calibrated):
    options = {
        "start": START,
        "horizon": "6h",
        "replications": 4,
        "trace": 2,
        "calibrated": calibrated,
        "progress": False,
    }
    history, ledger = digest(parcel.folder / "history"), digest(parcel.folder / "ledger")
    plain = parcel.simulate(**options)
    stored = parcel.simulate(name="thursday", **options)
    try:
        assert stored.kpis.equals(plain.kpis)
        assert list(parcel.scenarios) == ["thursday"]
        row = parcel.scenarios.table().iloc[0]
        assert (row["replications"], row["asked"], row["stopped"]) == (4, 4, "")
        assert row["attrs"]["position"] == parcel.reader.position()
        assert set(row["attrs"]["mappings"]) == set(parcel.mappings)
        assert parcel.scenarios.open("thursday").kpis.equals(plain.kpis)
        models = {"base": calibrated.model}
        assert parcel.scenarios.rerun("thursday", models, progress=False).identical
        with pytest.raises(SchemaError, match="the end is"):
            parcel.simulate(name="thursday", **{**options, "horizon": "12h"})
    finally:
        parcel.scenarios.delete("thursday")
    assert list(parcel.scenarios) == []
    assert digest(parcel.folder / "history") == history
    assert digest(parcel.folder / "ledger") == ledger
