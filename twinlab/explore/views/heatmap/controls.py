"""Widgets of a heat map, and the assets that its text filter selects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.widgets import row
from twinlab.explore.views.heatmap.rows import ORDERS
from twinlab.explore.views.heatmap.text import SHARES
from twinlab.languages import tr, tr_keys

__all__ = ["asset_properties", "find_assets", "heat_controls"]


def find_assets(text: str, labels: Mapping[str, str], table: pd.DataFrame) -> tuple[str, ...]:
    """Return the assets whose id, name or properties contain a text, case-insensitively.

    >>> table = pd.DataFrame({"site": ["Hall 1", "Yard"]}, index=["a", "b"])
    >>> find_assets("hall", {"a": "Alpha (a)", "b": "Beta (b)"}, table)
    ('a',)
    """
    query = text.strip().casefold()
    rows = {str(i): row for i, row in zip(table.index, table.astype(str).to_numpy(), strict=True)}
    return tuple(a for a, label in labels.items() if any(query in p.casefold() for p in (a, label, *rows.get(a, ()))))


def asset_properties(table: pd.DataFrame, name: str) -> dict[str, str]:
    """Return asset -> property as text, "" if missing."""
    return {str(a): "" if pd.isna(value) else str(value) for a, value in table[name].items()}


def heat_controls(params: Any, *, on_reset: Callable[[], None]) -> pn.viewable.Viewable:
    """Return the widgets of a heat map, synchronized with its parameters.

    Parameters
    ----------
    params : param.parameterized.Parameters
        Those of a `HeatExplorer`.
    on_reset : callable
        Called when a user clicks *Show all*.
    """
    values, flags = params.heat.rx() == "values", params.heat.rx() == "flags"
    reset = pmui.Button(label=tr("Show all"), variant="outlined", size="small")
    reset.on_click(lambda _: on_reset())
    kinds = {tr("values"): "values", tr("quality flags"): "flags"}
    widgets = [
        pmui.Select.from_param(params.asset_type, label=tr("Kind of asset"), width=150, size="small", description=""),
        pmui.Select.from_param(params.signal, label=tr("Signal"), width=200, size="small", description=""),
        pmui.Select.from_param(params.heat, options=kinds, label=tr("Show"), width=135, size="small", description=""),
        pmui.Select.from_param(
            params.measure, label=tr("Cells show"), width=175, size="small", visible=values, description=""
        ),
        pmui.Select.from_param(
            params.share,
            options=tr_keys(SHARES),
            label=tr("Cells show"),
            width=175,
            size="small",
            visible=flags,
            description="",
        ),
        pmui.Select.from_param(
            params.order, options=tr_keys(ORDERS), label=tr("Order"), width=150, size="small", description=""
        ),
        pmui.Select.from_param(params.by, label=tr("A row for"), width=140, size="small", description=""),
        pmui.TextInput.from_param(params.find, label=tr("Only with"), width=130, size="small", description=""),
        reset,
    ]
    for widget in widgets:
        # All of them fit on one line of a common screen.
        widget.margin = (5, 6)
    return row(widgets, margin=(8, 4, 4, 4))
