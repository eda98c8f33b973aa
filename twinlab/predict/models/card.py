"""A model's card: what it predicts, from what, how well, what it can't answer, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from twinlab._html import html
from twinlab.predict.models.stored import ModelRecord

__all__ = ["ModelCard"]

#: Inputs that are named one by one.
_NAMED: Final = 12
#: Scores of a model that are shown, in this order.
_SCORES: Final = (
    "cases",
    "cant_tell",
    "mae",
    "rmse",
    "pinball",
    "coverage",
    "interval",
    "width",
    "auc",
    "brier",
    "skill",
)

_TEMPLATE: Final = """
<section class="twinlab-model-card">
<h3>{{ title }}</h3>
<div style="overflow-x:auto"><table>
{% for name, text in rows %}<tr><th scope="row" style="text-align:left;vertical-align:top">{{ name }}</th><td style="text-align:left">{{ text }}</td></tr>
{% endfor %}
</table></div>
<h4>Scores</h4>
<p>{{ scored }}</p>
{% if scores %}
<div style="overflow-x:auto"><table>
<tr>{% for name in columns %}<th scope="col" style="text-align:right">{{ name }}</th>{% endfor %}</tr>
{% for row in scores %}<tr>{% for cell in row %}<td style="text-align:right">{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</table></div>
{% endif %}
<h4>What it can't answer</h4>
<ul>{% for text in limits %}<li>{{ text }}</li>{% endfor %}</ul>
<h4>Decisions</h4>
<ul>{% for text in decisions %}<li>{{ text }}</li>{% endfor %}</ul>
</section>
"""


@dataclass(frozen=True)
class ModelCard:
    """The card of one version of a model; text in a terminal, tables in a notebook.

    Parameters
    ----------
    record : ModelRecord
    state : str
        ``current``, ``proposed`` or ``earlier``.
    history : DataFrame
        What was decided about the model: ``at, what, version, before, author, reason``.
    """

    record: ModelRecord
    state: str
    history: pd.DataFrame

    @property
    def title(self) -> str:
        """Name, version and state."""
        one = self.record
        return f"{one.name}: {one.target} of {one.asset_type}, version {one.version[:10]} ({self.state})"

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What it is made of, as pairs of a name and a text."""
        one = self.record
        names = list(one.inputs[:_NAMED])
        more = f" and {len(one.inputs) - _NAMED} more" if len(one.inputs) > _NAMED else ""
        ahead = f"{one.lead_times[0]} to {one.lead_times[-1]}" if one.lead_times else "as its events are planned"
        position = ", ".join(f"{rows:,} of {name}" for name, rows in one.position.items() if not name.startswith("_"))
        mappings = ", ".join(
            f"mapping {name} {one.mappings[name][:10]}" for name in one.sources if name in one.mappings
        )
        return [
            ("Owner", one.owner),
            ("Predicts", f"{one.target} of {one.asset_type} in {one.units or 'no unit'}, ahead {ahead}" if one.kind != "AnomalyModel" else f"unusual rows of {one.asset_type}"),
            ("Model", f"{one.model} ({one.kind})"),
            ("Training", f"{one.start[:16]} to {one.stop[:16]} UTC, {len(one.assets)} assets, cells of {one.step}"),
            (f"Reads ({len(one.inputs)})", ", ".join(names) + more),
            ("Data", f"rows known then: {position}" if position else "of a twin without a ledger"),
            ("Definitions", f"model {one.twin_model[:10]}, {mappings or 'no mappings'}"),
            ("Fit", "not measured" if one.cpu_seconds is None else f"{one.cpu_seconds:.3g} s of processor"),
            ("Stored", f"{one.added[:16]} UTC with {', '.join(f'{name} {text}' for name, text in one.libraries.items())}"),
        ]  # fmt: skip

    def scores(self) -> pd.DataFrame:
        """Return the scores of the model and its baselines after the training; empty if there are none."""
        table = pd.DataFrame(list(self.record.scores))
        known = [name for name in _SCORES if name in table and table[name].notna().any()]
        return table[["model", *known]] if len(table) else table

    def decisions(self) -> list[str]:
        """Return what was decided, in words, the last one first."""
        out = []
        for row in self.history.iloc[::-1].to_dict("records"):
            by = f" by {row['author']}" if row["author"] else ""
            why = f": {row['reason']}" if row["reason"] else ""
            out.append(f"{str(row['at'])[:16]} {row['what']} {row['version'][:10]}{by}{why}")
        return out

    def __repr__(self) -> str:
        lines = [self.title, *(f"  {name}: {text}" for name, text in self.rows), f"  Scores: {self.record.scored}"]
        table = self.scores()
        if len(table):
            lines += [f"    {line}" for line in table.to_string(index=False, float_format="{:.4g}".format).splitlines()]
        lines += ["  What it can't answer:", *(f"    - {text}" for text in self.record.limits)]
        return "\n".join([*lines, "  Decisions:", *(f"    {text}" for text in self.decisions())])

    def _repr_html_(self) -> str:
        table = self.scores()
        cells = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
        return str(
            html(
                _TEMPLATE,
                title=self.title,
                rows=self.rows,
                scored=self.record.scored,
                columns=list(table.columns),
                scores=cells,
                limits=self.record.limits,
                decisions=self.decisions(),
            )
        )


def _cell(value: Any) -> str:  # noqa: ANN401  (text or a number)
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else f"{value:.4g}"
