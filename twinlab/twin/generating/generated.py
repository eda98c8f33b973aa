"""What `Twin.generate` returns: the synthetic twin, what was planted, how alike and how far from the original it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from twinlab.model.flags import Flag

__all__ = ["GeneratedTwin"]

_BAD = (int(Flag.SUSPECT), int(Flag.FAIL))
#: Faults that `Twin.check` may find by what the values are together.
_SLOW = ("stuck", "drift", "wrong_unit")


@dataclass(frozen=True)
class GeneratedTwin:
    """A synthetic twin.

    Parameters
    ----------
    twin : Twin
        Like any other; its model, pages, reports and answers say that it is synthetic.
    truth : DataFrame
        What was planted: ``fault, asset_type, asset, signal, start, stop, size``. "excursion" is a rare event: the values are right.
    fidelity : DataFrame
        A row a gauge: differences of distribution, autocorrelation, daily pattern and correlation, and the ratio of the spreads.
    privacy : DataFrame
        A row a gauge: longest copied run, nearest neighbour, membership.
    """

    twin: Any
    truth: pd.DataFrame
    fidelity: pd.DataFrame
    privacy: pd.DataFrame

    def detection(self, *, checked: bool = False) -> pd.DataFrame:
        """Return how many of the planted faults the quality flags find: ``planted, found, recall`` by kind, and their precision.

        A fault is found if a cell in it is flagged as suspect or fail; a gap, if one is flagged as missing. ``precision`` is the share of
        the suspect and failed cells of the signals with faults that are in a fault, or within three hours of one.

        Parameters
        ----------
        checked : bool
            Count a stuck value, a drift or a wrong unit as found, too, if `Twin.check` finds a unit, a drift or a disagreement in its
            signal of its asset; that reads the whole history.
        """
        found = dict.fromkeys(self.truth["fault"].unique(), 0)
        inside = flagged = 0
        named = self._checked() if checked else set()
        for (kind, signal), faults in self.truth.groupby(["asset_type", "signal"]):
            flags = self.twin.history(str(kind), signals=[str(signal)])[f"{signal}_qc"].load()
            bad = np.isin(flags.to_numpy(), _BAD)
            near = np.zeros_like(bad)
            times = flags["time"].to_numpy()
            assets, margin = list(map(str, flags["asset"].to_numpy())), np.timedelta64(3, "h")
            starts, stops = faults["start"].to_numpy(), faults["stop"].to_numpy()
            for asset, fault, begin, end in zip(faults["asset"], faults["fault"], starts, stops, strict=True):
                column = assets.index(str(asset))
                series = flags.to_numpy()[(times >= begin) & (times < end), column]
                wanted = (int(Flag.MISSING),) if fault == "gap" else _BAD
                slow = (str(kind), str(asset), str(signal)) in named and fault in _SLOW
                found[str(fault)] += bool(np.isin(series, wanted).any() or slow)
                near[(times >= begin - margin) & (times < end + margin), column] = True
            inside, flagged = inside + int((bad & near).sum()), flagged + int(bad.sum())
        many = self.truth["fault"].value_counts()
        table = pd.DataFrame({"planted": many, "found": pd.Series(found)}).astype(int)
        table["recall"] = table["found"] / table["planted"]
        table["precision"] = inside / flagged if flagged else float("nan")
        return table.rename_axis("fault")

    def _checked(self) -> set[tuple[str, str, str]]:
        """Return asset types, assets and signals in which `Twin.check` finds a unit, a drift or a disagreement."""
        table = self.twin.check().to_frame()
        slow = table[table["kind"].isin(["unit", "drift", "disagreement"])]
        parts = (
            (str(asset).partition("/"), str(signal))
            for asset, signal in zip(slow["asset"], slow["signal"], strict=True)
        )
        return {(kind, asset, signal) for (kind, slash, asset), signal in parts if slash}

    def __repr__(self) -> str:
        lines = [
            f"<GeneratedTwin {self.twin.model.twin}: {len(self.truth)} faults and rare events planted, in {self.twin.folder}>"
        ]
        if len(self.privacy):
            worst = self.privacy[["longest_copy_hours", "membership_auc"]].max()
            lines.append(
                f"  privacy: copied runs of at most {worst['longest_copy_hours']:g} h, nearest neighbour {self.privacy['nearest_ratio'].min():.2f}"
                f" of the usual distance, membership {worst['membership_auc']:.2f} (0.5 is guessing)"
            )
            lines.append(f"  fidelity: distributions differ by at most {self.fidelity['distribution'].max():.2f}")
        return "\n".join(lines)
