"""What will fail: a list of what to do, worst first, with reasons, and a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.reading import shown_instant
from twinlab.explore.kit.link import Link, known_or_problem, parse_instant
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.outlook.acting import what_if_link
from twinlab.explore.views.outlook.computing import Risks, Steps, compute_risks
from twinlab.explore.views.outlook.part import Part, html_pane, section, text_pane
from twinlab.explore.views.outlook.possible import failing_types
from twinlab.explore.views.outlook.requests import RiskRequest, cost_of
from twinlab.explore.views.outlook.risk_words import card_html, others_html, percent_text, span_words
from twinlab.languages import mark, tr, tr_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["RiskPart", "at_of"]

_SPANS = {mark("1 day"): "1d", mark("2 days"): "2d", mark("7 days"): "7d", mark("14 days"): "14d"}
#: Cards that are shown; further assets are in the table below.
_MOST = 12


def at_of(text: str) -> np.datetime64 | None:
    """Return the instant of a text field; None for the newest.

    Raises
    ------
    ValueError
        If it is no instant.
    """
    if text.strip() in {"", "newest"}:
        return None
    found = parse_instant(text)
    if found is None:
        msg = tr("{text!r} isn't a time such as 2026-03-30T06:00 (UTC); write that, or 'newest'", text=text)
        raise ValueError(msg)
    return found


class RiskPart(Part):
    """The maintenance list of an asset type.

    Parameters
    ----------
    twin, shared, on_change
        As for `Part`.
    on_what_if : callable
        Called with a link to the page What-if.
    """

    button: ClassVar[str] = mark("Compute risks")
    ready: ClassVar[str] = mark(
        "Nothing is computed before you press Compute risks; past failures are learnt first, which can take a minute."
    )

    def __init__(
        self, twin: Any, *, shared: Any, on_change: Callable[[], None], on_what_if: Callable[[Link], None]
    ) -> None:
        super().__init__(twin, shared=shared, on_change=on_change)
        self.result: Risks | None = None
        self._on_what_if = on_what_if
        self.kinds = failing_types(twin.model)
        if not self.kinds:
            self.nothing(
                tr("No failures are recorded in this twin"),
                tr(
                    "Risks are learnt from past failures: the model needs an event type with 'failure' in its name, whose asset is an asset type with signals."
                ),
            )
            return
        small = {"size": "small"}
        labels = {readable_name(one): one for one in self.kinds}
        self.kind = pmui.Select(label=tr("Asset type"), options=labels, value=self.kinds[0], width=150, **small)
        self.within = pmui.Select(label=tr("Within"), options=tr_keys(_SPANS), value="7d", width=100, **small)
        self.at = pmui.TextInput(label=tr("As of (UTC)"), value="newest", width=160, **small)
        self.acting = pmui.TextInput(label=tr("Cost of acting"), placeholder=tr("none stated"), width=150, **small)
        self.failing = pmui.TextInput(label=tr("Cost of a failure"), placeholder=tr("none stated"), width=150, **small)
        widgets = [self.kind, self.within, self.at, self.acting, self.failing]
        for one in widgets:
            one.param.watch(lambda _: self.choice_changed(), "value")
        self._head, self._rest = text_pane(), html_pane()
        self._cards = pn.Column(sizing_mode="stretch_width")
        self._map = pn.pane.Bokeh(sizing_mode="stretch_width", margin=(0, 10))
        self._map_words = text_pane()
        self._where = section(tr("Where"), self._map_words, self._map)
        self.results[:] = [section(tr("What to do, worst first"), self._head, self._cards, self._rest), self._where]
        self.parts(row(widgets, margin=(8, 0, 4, 0)))

    def request(self) -> RiskRequest:
        """Return what the choices ask for."""
        acting, failing = cost_of(self.acting.value), cost_of(self.failing.value)
        return RiskRequest(self.kind.value, self.within.value, acting, failing, at_of(self.at.value))

    def computed(self, request: RiskRequest, steps: Steps) -> Risks:
        """Return the list; called in a thread."""
        return compute_risks(self.twin, self.shared, request, steps)

    def show(self) -> None:
        """Show the list and the map."""
        assert self.result is not None
        request, table = self.result.request, self.result.table
        labels = self.shared.labels(request.asset_type)
        urgent = table[table["action"].isin(["act now", "plan", "watch"])]
        unknown = table[(table["action"] == "can't tell")]
        counts = [f"{int((table['action'] == one).sum()):,} {one}" for one in ("act now", "plan", "watch")]
        answered = len(table) - len(unknown)
        if not answered:
            reason = str(table["cant_tell"].iloc[0]) if len(table) else tr("there are no assets")
            self._head.object = tr("**Can't tell**: {reason}.", reason=reason)
        else:
            self._head.object = tr(
                "Of {count:,} assets: {counts}; {count2:,} can't tell.",
                count=len(table),
                counts=", ".join(counts),
                count2=len(unknown),
            ) + ("" if len(urgent) else tr(" Nothing needs to be done now."))
            if (table["cost_note"] != "").all():
                self._head.object += tr(
                    " No costs are stated: acting is said to pay from a probability of one half on."
                )
        self._cards[:] = [self._card(one, labels) for one in urgent.head(_MOST).itertuples()]
        rest = [urgent.iloc[_MOST:], table[table["action"] == "none"]]
        texts = [
            others_html(
                one,
                labels,
                title=title.format(len(one)),
                head=tr("failure within {within}", within=span_words(request.within)),
                column="probability",
            )
            for one, title in zip(
                rest, (tr("{:,} more to act on, plan or watch"), tr("{:,} without a need to act")), strict=True
            )
            if len(one)
        ]
        if len(unknown) and answered:
            texts.append(
                others_html(
                    unknown,
                    labels,
                    title=tr("{count:,} can't tell", count=len(unknown)),
                    head="why",
                    column="cant_tell",
                )
            )
        self._rest.object = "".join(map(str, texts))
        self._show_map()

    def _card(self, one: Any, labels: dict[str, str]) -> pn.Column:
        assert self.result is not None
        request, asset = self.result.request, str(one.asset)
        label = labels.get(asset, asset)
        text = html_pane(card_html(one, label=label, within=request.within, soon=request.soon))
        parts: list[Any] = [text]
        link = what_if_link(self.twin, request.asset_type, asset, at=self.result.issued)
        if link is not None:
            act = pmui.Button(
                label=tr("What if we act on {label}", label=label), icon="call_split", variant="text", size="small", margin=(0, 10),
                on_click=lambda _, to=link: self._on_what_if(to),
            )  # fmt: skip
            parts.append(act)
        return pn.Column(*parts, sizing_mode="stretch_width", margin=(4, 0, 8, 0))

    def map_table(self) -> pd.DataFrame | None:
        """Return what the map shows; None without positions."""
        if self.result is None or self.result.positions is None:
            return None
        table = self.result.table
        labels = self.shared.labels(self.result.request.asset_type)
        within = span_words(self.result.request.within)
        where = self.result.positions[["latitude", "longitude"]].reindex(table["asset"].astype(str))
        rows: Any = table.itertuples()
        words = [
            f"{one.action}, {one.cant_tell or percent_text(one.probability) + ' within ' + within}" for one in rows
        ]
        names = [labels.get(str(one), str(one)) for one in table["asset"]]
        out = table[["asset", "action"]].assign(label=names, words=words)
        return out.assign(latitude=where["latitude"].to_numpy(), longitude=where["longitude"].to_numpy())

    def _show_map(self) -> None:
        from twinlab.explore.charts.outlook.risk_map import ACTION_STYLES, risk_map  # noqa: PLC0415

        table = self.map_table()
        self._where.visible = table is not None
        if table is not None:
            self._map.object = risk_map(table)
            there = [f"{style.sign} {name}" for name, style in ACTION_STYLES.items() if (table["action"] == name).any()]
            self._map_words.object = " · ".join(there)

    def done(self) -> str:
        """Return what the list is of, and when it was issued."""
        assert self.result is not None
        request = self.result.request
        text = tr(
            "{asset_type}, failure within {within}, issued {issued} UTC",
            asset_type=readable_name(request.asset_type).capitalize(),
            within=span_words(request.within),
            issued=shown_instant(self.result.issued),
        )
        if request.by_event_time:
            text += tr("; the rows arrived later, so those with an earlier event time are used")
        if self.result.newest > self.result.issued:
            text += tr("; the history goes on to {newest}", newest=shown_instant(self.result.newest))
        return f"{text}."

    def apply(self, link: Link) -> list[str]:
        """Set the choices from a link; returns a message for each wrong value."""
        problems: list[str] = []
        if not self.kinds:
            return problems
        self._quiet = True
        try:
            if link.asset_type in self.kinds:
                self.kind.value = link.asset_type
            within = known_or_problem(link.within, _SPANS.values(), "span", problems)
            self.within.value = within or "7d"
            self.at.value = "newest" if link.at is None else str(link.at.astype("datetime64[m]"))
            self.acting.value, self.failing.value = link.acting or "", link.failing or ""
        finally:
            self._quiet = False
        return problems

    def link(self) -> dict[str, Any]:
        """Return the choices as fields of a link."""
        if not self.kinds:
            return {}
        costs = {"acting": self.acting.value.strip() or None, "failing": self.failing.value.strip() or None}
        return {"asset_type": self.kind.value, "within": self.within.value, "at": _instant(self.at.value), **costs}

    def code(self, open_code: str) -> str:
        """Return Python that computes the list as ``data``."""
        return "" if self.result is None else self.result.request.code(open_code)

    def data(self) -> pd.DataFrame | None:
        """Return the list."""
        return None if self.result is None else self.result.table

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the list."""
        return {} if self.result is None else {tr("maintenance list"): self.result.table}

    def settings(self) -> dict[str, str]:
        """Return the choices as text."""
        if self.result is None:
            return {}
        request = self.result.request
        known = tr("by event time") if request.by_event_time else tr("what had arrived")
        return {
            "asset type": request.asset_type,
            tr("failure within"): request.within,
            tr("issued (UTC)"): shown_instant(self.result.issued),
            "known": known,
            tr("cost of acting"): str(request.acting or tr("none stated")),
            tr("cost of a failure"): str(request.failing or tr("none stated")),
        }


def _instant(text: str) -> np.datetime64 | None:
    try:
        return at_of(text)
    except ValueError:
        return None
