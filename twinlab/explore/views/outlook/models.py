"""The state of the models: a table, whether each still fits, and its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.outlook.computing import Steps
from twinlab.explore.views.outlook.decisions import ModelDecisions
from twinlab.explore.views.outlook.part import Part, html_pane, section
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["ModelsPart"]

_SIGNS = {"fine": "✓", mark("retrain proposed"): "!", "refused": "✕", mark("can't tell"): "○", "": "·"}
_TABLE = """\
<style>.tl-models{overflow-x:auto;font:14px/1.4 Roboto,system-ui,sans-serif}.tl-models table{border-collapse:collapse;width:100%}
.tl-models td,.tl-models th{padding:5px 14px 5px 0;text-align:left;vertical-align:top;border-top:1px solid rgba(127,127,127,.3)}
.tl-models td:last-child{min-width:16em}</style>
<div class="tl-models" tabindex="0" role="region" aria-label="Models"><table>
<tr><th>model</th><th>of</th><th>trained until</th><th>error (best baseline)</th><th>owner</th><th>state</th></tr>
{% for one in rows %}<tr><td>{{ one.name }}</td><td>{{ one.of }}</td><td>{{ one.stop }}</td><td>{{ one.score }}</td><td>{{ one.owner }}</td>
<td><span aria-hidden="true">{{ one.sign }}</span> {{ one.state }}</td></tr>{% endfor %}</table></div>"""


class ModelsPart(Part):
    """The models of a twin.

    Parameters
    ----------
    twin, shared, on_change
        As for `Part`.
    author : str
        Who promotes and discards versions.
    """

    button: ClassVar[str] = mark("Check all models")
    ready: ClassVar[str] = mark("Drift of inputs, coverage and errors are compared when you press Check all models.")

    def __init__(self, twin: Any, *, shared: Any, on_change: Callable[[], None], author: str) -> None:
        super().__init__(twin, shared=shared, on_change=on_change)
        self.table: pd.DataFrame | None = None if not hasattr(twin, "models") else twin.models.table()
        if self.table is None or self.table.empty:
            self.table = None
            self.nothing(
                tr("No model is stored beside this twin"),
                tr(
                    "A fit is kept with twin.models.add('cold rooms', fitted, owner='…'); then its card, its drift and its coverage are here."
                ),
            )
            return
        names = self.table["name"].astype(str).tolist()
        self.name = pmui.Select(label=tr("Model"), options=names, value=names[0], width=240, size="small")
        self.name.param.watch(lambda _: self._card_changed(), "value")
        self._shown, self._card = html_pane(), html_pane()
        self.decisions = ModelDecisions(twin, author=author, on_decided=self._decided)
        self.results[:] = [
            self._shown,
            section(tr("One model"), row([self.name], margin=(8, 0, 4, 0)), self.decisions.pane, self._card),
        ]
        self.results.visible = True
        self.parts()
        self.show()
        self._show_card()

    def request(self) -> list[str]:
        """Return the names of the models."""
        assert self.table is not None
        return self.table["name"].astype(str).tolist()

    def computed(self, request: list[str], steps: Steps) -> dict[str, tuple[str, str]]:
        """Return the state of each model with the reason; called in a thread."""
        found = {}
        for place, name in enumerate(request):
            steps.at(place, len(request), tr("{name} is checked …", name=name))
            try:
                check = self.twin.models.check(name)
                answer = str(check.verdict)
                why = "; ".join(reason for one, reason in check.parts.values() if one == check.verdict and reason)
                found[name] = (answer, why)
            except TwinlabError as error:
                found[name] = ("can't tell", str(error))
        return found

    def data(self) -> pd.DataFrame | None:
        """Return the table of models."""
        return self.table

    def show(self) -> None:
        """Show the table, with what a check found."""
        import pandas as pd  # noqa: PLC0415

        assert self.table is not None
        checked: dict[str, tuple[str, str]] = self.result or {}
        rows = []
        one: Any
        for one in self.table.itertuples():
            answer, why = checked.get(str(one.name), ("", ""))
            state = f"{answer}: {why}" if why else answer or tr("not checked yet")
            state = tr("can't be read: {fault}", fault=one.fault) if one.fault else state
            if one.proposed:
                state += tr("; a new version is proposed")
            score = "" if not one.score or pd.isna(one.value) else f"{one.score} {one.value:.3g}"
            score += "" if not score or pd.isna(one.baseline) else f" ({one.baseline:.3g})"
            rows.append({
                "name": one.name, "of": f"{one.target}, {one.asset_type}", "stop": str(one.stop)[:10], "score": score,
                "owner": one.owner, "sign": _SIGNS.get(answer, "·"), "state": state,
            })  # fmt: skip
        self._shown.object = html(_TABLE, rows=rows)

    def _decided(self) -> None:
        self.table = self.twin.models.table()
        # What a check found is of the version that was in use.
        self.result = None
        self.show()
        self._show_card(decisions=False)
        self._on_change()

    def _card_changed(self) -> None:
        self._show_card()
        if not self._quiet:
            self._on_change()

    def _show_card(self, *, decisions: bool = True) -> None:
        try:
            if decisions:
                self.decisions.show(self.name.value)
            self._card.object = self.twin.models.card(self.name.value)._repr_html_()
        except TwinlabError as error:
            self._card.object = html("<p>The card can't be read: {{ why }}</p>", why=str(error))

    def done(self) -> str:
        """Return how many models were checked."""
        answers = [answer for answer, _ in (self.result or {}).values()]
        retrain = answers.count("retrain proposed")
        return tr("{count:,} models checked; {retrain:,} should be trained again.", count=len(answers), retrain=retrain)

    def apply(self, link: Link) -> list[str]:
        """Set the card from a link; returns a message for each wrong value."""
        problems: list[str] = []
        if self.table is not None:
            found = known_or_problem(link.find, self.request(), "model", problems)
            if found:
                self._quiet = True
                self.name.value = found
                self._quiet = False
        return problems

    def link(self) -> dict[str, Any]:
        """Return the card as a field of a link."""
        return {} if self.table is None else {"find": self.name.value}

    def code(self, open_code: str) -> str:
        """Return Python that reads the table as ``data``."""
        return "" if self.table is None else f"{open_code}\n\ndata = twin.models.table()\n"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the models, and what the check found."""
        import pandas as pd  # noqa: PLC0415

        if self.table is None:
            return {}
        found = {"models": self.table}
        if self.result:
            rows = [(name, *answer) for name, answer in self.result.items()]
            found["checked"] = pd.DataFrame(rows, columns=["name", "state", "why"])
        return found

    def settings(self) -> dict[str, str]:
        """Return nothing: the table is of all models."""
        return {}
