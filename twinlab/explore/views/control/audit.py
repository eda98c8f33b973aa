"""The audit: the proof that nobody changed it, its newest rows, and a search."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.panes import Html, empty_pane, verdict_heading
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AuditPart", "proof_heading", "shown_rows"]

_NEWEST = 500
_PAGE = 15
_ALL = mark("all kinds")
_NONE = (
    mark("No rows"),
    mark("Commands, approvals, refusals, logins, reads of personal data, releases and erasures are written here."),
)
_FACTS = """\
<dl style="display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;font:13px/1.5 Roboto,system-ui,sans-serif;margin:2px 0 4px 42px">
{% for name, text in facts %}<dt style="opacity:.85">{{ name }}</dt><dd style="margin:0;overflow-wrap:anywhere">{{ text }}</dd>{% endfor %}</dl>"""
_ROW = """\
<section aria-label="Row {{ n }}" style="font:13px/1.5 Roboto,system-ui,sans-serif"><h3 style="font:600 15px/1.4 Roboto,system-ui;margin:6px 0 2px">Row {{ n }}: {{ kind }}</h3>
<pre tabindex="0" aria-label="The row as JSON" style="font:13px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;padding:10px;margin:0;border-radius:6px;background:rgba(127,127,127,.12);max-height:300px;overflow:auto">{{ text }}</pre></section>"""


class AuditPart:
    """Proof, search and rows (``pane``).

    Parameters
    ----------
    twin : Any
        With ``audit_rows`` and ``verify_audit``.
    on_search : callable
        Called when the search has changed; it reads and shows the rows.
    """

    def __init__(self, twin: Any, *, on_search: Callable[[], None]) -> None:
        self.twin = twin
        self.rows: pd.DataFrame | None = None
        self.report: Any = None
        self._proof = Html("", sizing_mode="stretch_width", margin=(8, 10, 0, 10))
        self.prove = pmui.Button(
            label=tr("Prove again"), icon="verified", variant="outlined", size="small", margin=(6, 10)
        )
        self.kind = pmui.Select(label=tr("Kind"), options=[_ALL], value=_ALL, width=190, size="small", margin=(6, 6))
        self.text = pmui.TextInput(
            label=tr("Find"), placeholder=tr("asset, name, text"), width=220, size="small", margin=(6, 6)
        )
        self._count = Html("", margin=(6, 6))
        self._grid: pn.widgets.Tabulator | None = None
        self._place = pn.Column(sizing_mode="stretch_width")
        self._row = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self.prove.on_click(lambda _: self.prove_now())
        for widget in (self.kind, self.text):
            widget.param.watch(lambda _: on_search(), "value")
        self.pane = pn.Column(
            self._proof, self.prove, pn.FlexBox(self.kind, self.text, self._count, align_items="center"), self._place, self._row,
            sizing_mode="stretch_width",
        )  # fmt: skip

    # -- state --------------------------------------------------------------------------------------------------------

    def read(self) -> pd.DataFrame:
        """Return the newest rows that the search finds; called in a thread."""
        kind = str(self.kind.value)
        found: pd.DataFrame = self.twin.audit_rows(
            newest=_NEWEST, kinds=() if kind == _ALL else (kind,), text=str(self.text.value or "")
        )
        return found

    def show(self, rows: pd.DataFrame) -> None:
        """Show rows; the chosen one stays shown."""
        if self.rows is not None and rows.equals(self.rows):
            return
        before, self.rows = self.rows, rows
        kinds = [
            _ALL,
            *sorted(
                {*rows["kind"].unique(), *([] if before is None else before["kind"].unique())}
                | ({str(self.kind.value)} - {_ALL})
            ),
        ]
        if set(kinds) - set(self.kind.options):
            self.kind.options = [_ALL, *sorted({*self.kind.options, *kinds} - {_ALL})]
        more = tr(" or more") if len(rows) == _NEWEST else ""
        self._count.object = html(
            '<span role="status" style="font:14px Roboto,system-ui">{{ text }}</span>',
            text=tr("{count:,}{more} rows, the newest first", count=len(rows), more=more),
        )
        if rows.empty:
            self._grid = None
            self._place[:] = [empty_pane(*_NONE, height=180)]
        elif self._grid is None:
            self._grid = _grid(shown_rows(rows))
            self._grid.param.watch(self._selected, "selection")
            self._place[:] = [self._grid]
        else:
            self._grid.value = shown_rows(rows)

    def prove_now(self) -> None:
        """Compare all rows with the signed heads, in the background."""
        self.prove.loading = True
        BackgroundRun[str](
            lambda **_: self.twin.verify_audit(), on_progress=lambda _: None, on_end=self._proved
        ).start()

    def _proved(self, report: Any, fault: str | None) -> None:
        self.prove.loading = False
        self.report = report
        self._proof.object = proof_heading(report, fault)

    def apply(self, find: str | None) -> None:
        """Set the search from a link."""
        self.text.value = find or ""

    def _selected(self, event: Any) -> None:
        if event.new and self.rows is not None:
            one = self.rows.iloc[event.new[-1]]
            stated = {
                "n": int(one["n"]),
                "previous": one["previous"],
                "at": one["at"],
                "kind": one["kind"],
                "who": list(one["who"]),
                "what": one["what"],
            }
            self._row.object = html(
                _ROW, n=int(one["n"]), kind=one["kind"], text=json.dumps(stated, ensure_ascii=False, indent=1)
            )


def proof_heading(report: Any, fault: str | None = None) -> str:
    """Return what is proved, as a heading with facts.

    Parameters
    ----------
    report : AuditReport
    fault : str, optional
        Why nothing could be proved.
    """
    if fault is not None:
        return verdict_heading(tr("The audit can't be proved"), fault, good=None)
    if report.broken is not None:
        head, detail, good = tr("Broken at row {broken:,}", broken=report.broken), f"{report.reason}.", False
    elif not report.rows:
        return verdict_heading(tr("The audit has no rows"), tr("Nothing was recorded yet."), good=None)
    elif report.proved:
        later = report.rows - report.proved
        head = tr("Intact: {rows:,} rows", rows=report.rows)
        detail = (
            tr("All are proved by signed heads.")
            if not later
            else tr(
                "{proved:,} are proved by signed heads, the newest {later:,} not yet.",
                proved=report.proved,
                later=later,
            )
        )
        good = True
    else:
        head, good = tr("In order: {rows:,} rows", rows=report.rows), None
        detail = tr(
            "No signed head proves that none was cut or written anew. State the key of the audit in control.yaml."
        )
    facts = (
        [("root", report.root), (tr("last row"), report.newest[:19].replace("T", " ") + " UTC")] if report.rows else []
    )
    if report.heads:
        facts.append(
            (
                tr("signed heads"),
                tr("{heads:,}, the newest of {t} UTC", heads=report.heads, t=report.signed_at[:19].replace("T", " ")),
            )
        )
    facts += [(tr("never acknowledged"), one) for one in report.torn]
    if report.refused_heads:
        facts.append(
            (
                tr("heads that don't count"),
                tr(
                    "{count:,}, first {refused_heads}",
                    count=len(report.refused_heads),
                    refused_heads=report.refused_heads[0],
                ),
            )
        )
    return verdict_heading(head, detail, good=good) + html(_FACTS, facts=facts)


def shown_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the audit as text."""
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame({
        "row": rows["n"], tr("at (UTC)"): rows["at"].str[:19].str.replace("T", " ", regex=False), "kind": rows["kind"],
        "who": [", ".join(one) for one in rows["who"]], "what": [_short(one) for one in rows["what"]],
    })  # fmt: skip


def _short(what: dict[str, Any]) -> str:
    """Return the main parts of a row: the asset, the setpoint, the outcome."""
    if "target" in what:
        value = (
            f" → {what['value']:g} {what.get('unit', '')}".rstrip(" 1")
            if isinstance(what.get("value"), (int, float))
            else ""
        )
        head = f"{what['target']} {str(what.get('parameter', '')).replace('_', ' ')}{value}".strip()
        parts = [head, *(str(what[name]) for name in ("operation", "outcome", "reason") if what.get(name))]
    else:
        parts = [f"{name} {value}" for name, value in what.items() if name != "frontier"]
    return "; ".join(parts)[:160]


def _grid(rows: pd.DataFrame) -> pn.widgets.Tabulator:
    return pn.widgets.Tabulator(
        rows, selectable=1, disabled=True, show_index=False, pagination="local", page_size=_PAGE, configuration=table_buttons(), layout="fit_data_fill",
        stylesheets=[TABLE_SHEET], sizing_mode="stretch_width", margin=(4, 10), text_align={"row": "right"},
    )  # fmt: skip
