"""What a proposed version of a model changes: window, inputs, parameters, scores on the same issue times, and cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from twinlab._html import html
from twinlab.predict.backtests.result import Backtest
from twinlab.predict.models.format import to_arrays
from twinlab.predict.models.plain import MARK
from twinlab.predict.models.stored import ModelRecord
from twinlab.predict.protocol.predictor import CantTell

__all__ = ["ModelDiff", "changes", "compared"]

CURRENT, PROPOSED = "current", "proposed"
#: Parts of a record that are compared.
_COMPARED: Final = ("kind", "model", "target", "units", "asset_type", "step", "lead_times", "start", "stop", "assets", "input_units", "twin_model", "mappings", "position", "libraries")  # fmt: skip
_INSTANTS: Final = ("start", "stop")

_TEMPLATE: Final = """
<section class="twinlab-model-diff">
<h3>{{ title }}</h3>
<p><strong>{{ verdict }}</strong></p>
{% for name, columns, rows in tables %}
<h4>{{ name }}</h4>
<div style="overflow-x:auto"><table>
<tr>{% for column in columns %}<th scope="col" style="text-align:left">{{ column }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td style="text-align:left">{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</table></div>
{% endfor %}
</section>
"""


@dataclass(frozen=True)
class ModelDiff:
    """What a proposal changes.

    Parameters
    ----------
    name : str
    before, after : str
        Versions.
    settings : DataFrame
        ``what, before, after``: what differs of window, data, inputs and parameters.
    scores : DataFrame
        A row a model on the same issue times after both trainings; empty if there are none.
    significance : DataFrame
        The proposed version against the current one and the baselines, paired by issue time.
    cost : DataFrame
        ``what, before, after``: bytes, seconds of the fit, and of a prediction.
    verdict : str
        Whether the proposed one is better, in words.
    """

    name: str
    before: str
    after: str
    settings: pd.DataFrame
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    significance: pd.DataFrame = field(default_factory=pd.DataFrame)
    cost: pd.DataFrame = field(default_factory=pd.DataFrame)
    verdict: str = ""

    @property
    def title(self) -> str:
        """Name and versions."""
        return f"{self.name}: {self.before[:10]} -> {self.after[:10]}"

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        for name in ("settings", "scores", "significance", "cost"):
            table = getattr(self, name)
            if len(table):
                yield name.capitalize(), table

    def __repr__(self) -> str:
        lines = [f"<ModelDiff {self.title}> {self.verdict}"]
        for name, table in self._tables():
            shown = table.map(_text) if name in ("Settings", "Cost") else table
            lines += [
                f"  {name}",
                *(f"    {line}" for line in shown.to_string(index=False, float_format="{:.4g}".format).splitlines()),
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        tables = [(name, list(table.columns), table.map(_text).to_numpy().tolist()) for name, table in self._tables()]
        return str(html(_TEMPLATE, title=self.title, verdict=self.verdict, tables=tables))


def _text(value: Any) -> str:  # noqa: ANN401  (a cell of any table)
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def changes(before: ModelRecord, after: ModelRecord, parameters: tuple[object, object]) -> pd.DataFrame:
    """Return what differs between two versions: ``what, before, after``.

    Parameters
    ----------
    before, after : ModelRecord
    parameters : pair of Predictor or None
        Of both, as they were fitted.
    """
    rows: list[tuple[str, Any, Any]] = []
    for name in _COMPARED:
        one, two = getattr(before, name), getattr(after, name)
        if isinstance(one, dict) and isinstance(two, dict):
            rows += [
                (f"{name} {key}", one.get(key, "none"), two.get(key, "none"))
                for key in dict.fromkeys([*one, *two])
                if one.get(key) != two.get(key)
            ]
        elif one != two:
            old, new = (
                ", ".join(each) if isinstance(each, tuple) else each[:16] if name in _INSTANTS else each
                for each in (one, two)
            )
            rows.append((name, old, new))
    gone, new = (set(a.inputs) - set(b.inputs) for a, b in ((before, after), (after, before)))
    rows += [("input", name, "") for name in sorted(gone)] + [("input", "", name) for name in sorted(new)]
    one, two = (dict(_flat(to_arrays(each)[1]["model"])) if each is not None else {} for each in parameters)
    rows += [
        (f"parameter {key}", one.get(key, "none"), two.get(key, "none"))
        for key in dict.fromkeys([*one, *two])
        if one.get(key) != two.get(key)
    ]
    return pd.DataFrame(rows, columns=["what", "before", "after"], dtype=object)


def _flat(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (JSON)
    """Yield place and value of each leaf of JSON."""
    if isinstance(node, Mapping) and "content" in node:
        yield from _flat(node["content"], place)
    elif isinstance(node, Mapping):
        for key, one in node.items():
            if key != MARK:
                yield from _flat(one, f"{place}.{key}".removeprefix("."))
    elif isinstance(node, list):
        for number, one in enumerate(node):
            yield from _flat(one, f"{place}.{number}")
    else:
        yield place.replace(".items.", "."), node


def compared(
    name: str,
    before: ModelRecord,
    after: ModelRecord,
    settings: pd.DataFrame,
    *,
    sizes: tuple[int, int],
    found: Backtest | CantTell,
) -> ModelDiff:
    """Return the diff of two versions.

    Parameters
    ----------
    name : str
    before, after : ModelRecord
    settings : DataFrame
        As of `changes`.
    sizes : pair of int
        Bytes of their files.
    found : Backtest or CantTell
        Both on the same issue times, or why there are none.
    """
    cost: list[tuple[str, object, object]] = [
        ("bytes", *sizes),
        ("cpu_seconds of the fit", before.cpu_seconds, after.cpu_seconds),
    ]
    if isinstance(found, CantTell):
        table = pd.DataFrame(cost, columns=["what", "before", "after"], dtype=object)
        return ModelDiff(
            name, before.version, after.version, settings, cost=table, verdict=f"{found}; what it changes is below"
        )
    each = found.cost.set_index("model")
    per = ("cpu_per_prediction", "money_per_prediction")
    cost += [(column, each.loc[CURRENT, column], each.loc[PROPOSED, column]) for column in per]
    significance = found.significance()
    scores, loss = found.scores(), found.loss_name
    losses = dict(zip(scores["model"], scores[loss], strict=True))
    one = next(row for row in significance.to_dict("records") if row["baseline"] == CURRENT)
    words = {"better": "the proposed version is better", "worse": "the proposed version is worse"}
    verdict = words.get(one["verdict"], "no difference is shown")
    text = f"{verdict}: {loss} {losses[CURRENT]:.4g} -> {losses[PROPOSED]:.4g} on {one['issue_times']} issue times after both trainings (p {one['p']:.2g})"
    table = pd.DataFrame(cost, columns=["what", "before", "after"], dtype=object)
    return ModelDiff(name, before.version, after.version, settings, scores, significance, table, text)
