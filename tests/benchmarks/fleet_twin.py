"""A twin over the stored year of a thousand assets that `test_history_bench` builds; ``python fleet_twin.py FOLDER``
serves its page, prints the address, and goes on until it's ended.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import UnknownTermError
from twinlab.history.layout.grid import rollup_steps
from twinlab.history.read.datasets import dataset
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import TwinModel

ASSET_TYPE, SIGNAL = "fleet", "reading"
CADENCE_NS = 60_000_000_000


class FleetTwin:
    """A `TwinReader` of one asset type with one signal, read through the store as a twin's own reader does."""

    open_code = "twin = ..."

    def __init__(self, folder: Path) -> None:
        self.view = HistoryStore.open(folder).view()
        (group,) = self.view.groups()
        self.ids = [f"T{place:04d}" for place in range(self.view.n_assets(group))]
        self.model = TwinModel.model_validate(
            {
                "twin": "fleet",
                "title": "Fleet of a thousand",
                "origin": str(np.datetime64(self.view.origin_ns, "ns"))[:10],
                "asset_types": {ASSET_TYPE: {"signals": {SIGNAL: {"unit": "1", "resolution": 1.0, "cadence": "1min"}}}},
            }
        )

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history, lazy."""
        return dataset(
            self.view, self.model, asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step,
            asset_ids=self.ids,
        )  # fmt: skip

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """There are none."""
        msg = f"expected a known event type, got {event_type!r}"
        raise UnknownTermError(msg)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets; they have no properties."""
        return pd.DataFrame(index=pd.Index(self.ids, name="asset", dtype="str"))

    def relationships(self, relationship: str) -> pd.DataFrame:
        """There are none."""
        msg = f"expected a known relationship, got {relationship!r}"
        raise UnknownTermError(msg)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups stand ready."""
        return rollup_steps(CADENCE_NS)


def main() -> None:
    """Serve the page of the store in a folder, warmed."""
    from twinlab.apps import serve

    def ready(served: object) -> None:
        sys.stdout.write(f"{served.url}\n")  # type: ignore[attr-defined]
        sys.stdout.flush()

    serve(FleetTwin(Path(sys.argv[1])), open_browser=False, warm=True, ready=ready)


if __name__ == "__main__":
    main()
