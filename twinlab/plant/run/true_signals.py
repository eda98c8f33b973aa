"""The truth of a run in the words of a twin: a table of true values for each asset type."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from twinlab.errors import SourceError
from twinlab.plant.run.truth import TABLES, read_truth

__all__ = ["true_signals"]

#: Stream -> asset type, the stream's column with the asset, and unit of each signal; states have none.
_TYPES: dict[str, tuple[str, str, dict[str, str | None]]] = {
    "rooms": ("cold_room", "room", {"temperature": "degC", "door": None, "compressor": None}),
    "forklifts": ("forklift", "forklift", {"battery": "%", "load": "kg", "mode": None}),
    "trucks": ("truck", "truck", {"latitude": "degree", "longitude": "degree", "speed": "km/h", "odometer": "km", "fuel": "L"}),
}  # fmt: skip


def true_signals(folder: str | Path) -> dict[str, pd.DataFrame]:
    """Return the true values of a run, for `Twin.fidelity`.

    Parameters
    ----------
    folder : path
        The run's folder, or ``truth`` in it. The plant may still run.

    Returns
    -------
    dict of str to DataFrame
        Asset type -> ``time`` (naive UTC, of the plant), ``asset``, a column for each signal (states as their codes),
        ``recorded``: when a row happened by this machine's clock. ``attrs["units"]``: units by signal.

    Raises
    ------
    SourceError
        If there is no truth of a run.
    """
    given = Path(folder)
    truth = given / "truth" if (given / "truth").is_dir() else given
    missing = [name for name in TABLES if not (truth / f"{name}.arrows").is_file()]
    if missing:
        msg = f"{given}: expected the folder of a run of `twinlab plant run`, with truth/{missing[0]}.arrows"
        raise SourceError(msg)
    found = {}
    for stream, (asset_type, asset, signals) in _TYPES.items():
        table = read_truth(truth, stream).select(["time", asset, *signals, "recorded"]).to_pandas()
        table = table.rename(columns={asset: "asset"})
        for name in ("time", "recorded"):
            table[name] = table[name].dt.tz_localize(None).astype("datetime64[ns]")
        table = table.astype(dict.fromkeys(signals, "float64"))
        table.attrs["units"] = {name: unit for name, unit in signals.items() if unit is not None}
        found[asset_type] = table
    return found
