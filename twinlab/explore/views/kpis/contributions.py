"""What each event or span contributes to one number of a KPI, as tables; a selected row shows its rows of the ledger."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.events.kpis.contributions import kpi_contributions
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.lineage_pane import LineagePane, can_explain, plain_table
from twinlab.explore.kit.panes import Html
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["ContributionsPane"]

#: Columns that say nothing to a reader here.
_HIDDEN = ("event_id", "type")
_TITLES = {name: f"{name.replace('_', ' ')} (UTC)" for name in ("start", "end", "planned_start", "planned_end")}
_TITLES |= {"counts_as": mark("counts as"), "duration": mark("lasts (h)")}


class ContributionsPane:
    """Tables of what events and spans contribute to a number (``pane``).

    Parameters
    ----------
    twin : TwinReader
    """

    def __init__(self, twin: TwinReader) -> None:
        self._twin = twin
        self.tables: dict[str, pd.DataFrame] = {}
        self.lineage = LineagePane(twin)
        self.pane = pn.Column(sizing_mode="stretch_width")

    def show(
        self, name: str, title: str, *, at: np.datetime64, by: str | None, group: str | None, every: str | None
    ) -> str:
        """Show what the number of a window is made of; return why it can't be shown, or an empty text."""
        self.lineage.close()
        try:
            self.tables = kpi_contributions(self._twin, name, at=at, by=by, group=group, every=every)
        except READING_ERRORS as error:
            self.close()
            return str(error)
        parts: list[pn.viewable.Viewable] = [
            Html(
                html(
                    '<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:12px 0 0">{{ title }}</h2>',
                    title=title,
                ),
                sizing_mode="stretch_width",
                margin=(0, 10),
            )
        ]
        explained = can_explain(self._twin)
        for kind, table in self.tables.items():
            parts.append(pmui.Typography(self._heading(kind, table), variant="body1", margin=(4, 10, 0, 10)))
            if not len(table):
                continue
            shown = table.drop(columns=[one for one in _HIDDEN if one in table])
            first = [one for one in ("counts_as", "asset") if one in shown]
            shown = shown[[*first, *(one for one in shown if one not in first)]].dropna(axis="columns", how="all")
            # A relationship has no id, and counts of cells are of many rows.
            named = "event_id" in table or {"signals", "start"} <= set(table)
            pick = partial(self._explain, kind, table) if explained and named else None
            parts.append(plain_table(shown, on_pick=pick, titles=_TITLES))
        if explained:
            parts.append(self.lineage.pane)
        self.pane[:] = parts
        return ""

    def close(self) -> None:
        """Show nothing."""
        self.tables = {}
        self.lineage.close()
        self.pane[:] = []

    def _heading(self, kind: str, table: pd.DataFrame) -> str:
        name = kind.replace("_", " ")
        if "cells" in table:
            missing = int((table["cells"] - table["known"]).sum())
            return tr(
                "{name}: {cells:,} cells of {count:,} assets, {missing:,} of them not known",
                name=name,
                cells=int(table["cells"].sum()),
                count=len(table),
                missing=missing,
            )
        what = "spans" if "signals" in table else "events"
        if not len(table):
            return tr("{name}: no {what} in this window", name=name, what=what)
        named = can_explain(self._twin) and ("event_id" in table or "signals" in table)
        return f"{name}: {len(table):,} {what}" + (tr(". Select one to see where it comes from.") if named else "")

    def _explain(self, kind: str, table: pd.DataFrame, row: int) -> None:
        found = table.iloc[row]
        if "event_id" in table:
            self.lineage.explain(f"{kind}/{found['event_id']}")
        else:
            signal = str(found["signals"]).split(", ")[0]
            self.lineage.explain(f"{kind}/{found['asset']}", signal, found["start"])
