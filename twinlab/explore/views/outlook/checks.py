"""How good predictions were: probabilities against what happened, and coverage of intervals by lead time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import panel_material_ui as pmui

from twinlab.errors import SchemaError
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.outlook.computing import Steps, run_test
from twinlab.explore.views.outlook.part import Part, chart_pane, section, text_pane
from twinlab.explore.views.outlook.possible import failing_types
from twinlab.explore.views.outlook.requests import FailureTest
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["CheckedPredictions", "ChecksPart"]

_TEST = "test of "
#: Fewer outcomes, or fewer that happened, say little.
_FEW, _FEW_HAPPENED = 30, 5
_EDGES = ("0h", "1h", "2h", "6h", "12h", "24h", "48h")


@dataclass(frozen=True)
class CheckedPredictions:
    """Scores of predictions whose outcome is known.

    Parameters
    ----------
    source : str
        Name of stored predictions, or "test of" an asset type.
    table : DataFrame
        Of probabilities: ``low, high, cases, predicted, observed``; of values: scores by lead time, with ``coverage`` and ``interval``.
    probability : bool
    issued : tuple of str
        First and last issue time.
    test : FailureTest or None
    by_case : bool
        Whether they are of single events.
    """

    source: str
    table: pd.DataFrame
    probability: bool
    issued: tuple[str, str]
    test: FailureTest | None = None
    by_case: bool = False

    @property
    def cases(self) -> int:
        """Outcomes that are known."""
        return int(self.table["cases"].sum()) if len(self.table) else 0


class ChecksPart(Part):
    """Scores of stored predictions, and of failure probabilities tested on the past.

    Parameters
    ----------
    twin, shared, on_change
        As for `Part`.
    """

    button: ClassVar[str] = mark("Compare with what happened")
    ready: ClassVar[str] = mark(
        "Nothing is computed before you press the button. A test on the past fits to what was known then, and takes a minute or more."
    )

    def __init__(self, twin: Any, *, shared: Any, on_change: Callable[[], None]) -> None:
        super().__init__(twin, shared=shared, on_change=on_change)
        self.result: CheckedPredictions | None = None
        stored = {f"{name} (stored)": name for name in twin.predictions.names}
        tests = {
            tr("{one_value}: failures, tested on the past", one_value=readable_name(one)): _TEST + one
            for one in failing_types(twin.model)
        }
        self.sources = stored | tests
        if not self.sources:
            self.nothing(
                tr("There are no predictions to compare with what happened"),
                tr(
                    "Store predictions as they are made, such as twin.forecast(…, store='cold rooms'), or record failures as events."
                ),
            )
            return
        first = next(iter(self.sources.values()))
        self.source = pmui.Select(label=tr("Predictions"), options=self.sources, value=first, width=340, size="small")
        self.source.param.watch(lambda _: self.choice_changed(), "value")
        self._words, self._chart = text_pane(), chart_pane()
        self.results[:] = [section(tr("Predicted, and what happened"), self._words, self._chart)]
        self.parts(row([self.source], margin=(8, 0, 4, 0)))

    def request(self) -> str:
        """Return the chosen predictions."""
        return str(self.source.value)

    def computed(self, request: str, steps: Steps) -> CheckedPredictions:
        """Return their scores; called in a thread."""
        from twinlab.predict.predictions.scoring import reliability_table, score_predictions  # noqa: PLC0415

        test = None
        if request.startswith(_TEST):
            test, data, truth = run_test(self.twin, request.removeprefix(_TEST), steps)
        else:
            steps.at(0, 1, tr("Stored predictions and what happened are read …"))
            data = self.twin.predictions.open(request)
            truth = self.twin.predictions.truth(request)
        probability = data[str(data.attrs["target"])].attrs["kind"] == "probability"
        by_case = "case" in data.dims
        if probability:
            table = reliability_table(data, truth)
        else:
            table = score_predictions(data, truth, lead_edges=_EDGES if by_case else ())
            if "coverage" not in table:
                msg = tr(
                    "the stored predictions {request!r} have no interval: store quantiles on both sides, such as 0.05 and 0.95",
                    request=request,
                )
                raise SchemaError(msg)
        times = np.sort(data["issue_time"].values)
        issued = (str(times[0])[:10], str(times[-1])[:10])
        return CheckedPredictions(request, table, probability, issued, test, by_case)

    def show(self) -> None:
        """Show the chart and what it says."""
        self._words.object = self.words()
        self._chart.object = self.figure()
        self._chart.visible = self._chart.object is not None

    def words(self) -> str:
        """Return what the scores say; plainly where there is too little."""
        assert self.result is not None
        table, cases = self.result.table, self.result.cases
        if not cases:
            return tr("**Can't tell**: none of these predictions has a known outcome yet.")
        if self.result.probability:
            happened = round(float((table["cases"] * table["observed"]).sum()))
            mean = float((table["cases"] * table["predicted"]).sum() / cases)
            text = tr(
                "{cases:,} predictions; {happened:,} happened ({cases2:.1f} %), {mean:.1f} % was predicted on average.",
                cases=cases,
                happened=happened,
                cases2=100 * happened / cases,
                mean=100 * mean,
            )
            if cases < _FEW or happened < _FEW_HAPPENED:
                text = tr("**Too few to judge**: {text}", text=text)
            return tr(
                "{text} Each point is a bin with its number of cases and the 90 % interval of its share; on the dashed line as many happen as predicted. Predictions of neighbouring days share outcomes, so the intervals are somewhat too narrow.",
                text=text,
            )
        share = float(np.average(table["coverage"].fillna(0.0), weights=table["cases"]))
        promised = float(table["interval"].max())
        text = tr(
            "{share:.0f} % of {cases:,} outcomes were within their interval; {promised:.0f} % were promised (dashed line).",
            share=100 * share,
            cases=cases,
            promised=100 * promised,
        )
        return tr("**Too few to judge**: {text}", text=text) if cases < _FEW else text

    def figure(self) -> Any:
        """Return the reliability diagram, or coverage by lead time; None without an outcome."""
        from twinlab.explore.charts.outlook.reliability import coverage_chart, reliability_chart  # noqa: PLC0415

        if self.result is None or not self.result.cases:
            return None
        table = self.result.table
        if self.result.probability:
            return reliability_chart(table)
        known = table[table["cases"] > 0]
        hours = known["lead_time"].to_numpy() / np.timedelta64(1, "h")
        return coverage_chart(hours, known["coverage"].to_numpy(float), promised=float(known["interval"].max()))

    def done(self) -> str:
        """Return what the scores are of."""
        assert self.result is not None
        first, last = self.result.issued
        source = self.result.source
        if self.result.test is not None:
            source = tr(
                "Failures of {asset_type}, within 7 days", asset_type=readable_name(self.result.test.asset_type)
            )
        text = tr("{source}, issued {first} to {last}", source=source, first=first, last=last)
        if self.result.test is not None:
            text += tr(", fitted to what was known on {known}", known=str(self.result.test.known)[:10])
            text += tr(" by event time") if self.result.test.by_event_time else ""
        return f"{text}."

    def apply(self, link: Link) -> list[str]:
        """Set the choices from a link; returns a message for each wrong value."""
        problems: list[str] = []
        found = known_or_problem(link.stored, self.sources.values(), "predictions", problems)
        if found:
            self._quiet = True
            self.source.value = found
            self._quiet = False
        return problems

    def link(self) -> dict[str, Any]:
        """Return the choices as fields of a link."""
        return {"stored": self.source.value} if self.sources else {}

    def code(self, open_code: str) -> str:
        """Return Python that computes the scores as ``data``."""
        if self.result is None:
            return ""
        if self.result.test is not None:
            return self.result.test.code(open_code)
        name = self.result.source
        if not self.result.probability:
            edges = f", lead_edges={_EDGES!r}" if self.result.by_case else ""
            return f"{open_code}\n\ndata = twin.predictions.score({name!r}{edges})\n"
        return (
            f"from twinlab import predict\n{open_code}\n\nstored = twin.predictions\n"
            f"data = predict.reliability_table(stored.open({name!r}), stored.truth({name!r}))\n"
        )

    def data(self) -> pd.DataFrame | None:
        """Return the scores."""
        return None if self.result is None else self.result.table

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the scores."""
        if self.result is None:
            return {}
        return {"reliability" if self.result.probability else tr("coverage by lead time"): self.result.table}

    def settings(self) -> dict[str, str]:
        """Return the choices as text."""
        return {} if self.result is None else {"predictions": self.done()}
