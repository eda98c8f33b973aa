"""The result of a check: `QualityReport`, as table, text and HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from twinlab.errors import SchemaError
from twinlab.quality.findings import Finding, findings_frame
from twinlab.twin.checking.report_html import report_html
from twinlab.twin.checking.report_lines import place_text, share_text, span_text, touched_text

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.calibration import Calibration
    from twinlab.twin.checking.fixes import Change
    from twinlab.twin.checking.touched import Touched

__all__ = ["FoundFault", "QualityReport"]

#: Findings that text and HTML show; the table has all.
_SHOWN: Final = 50


@dataclass(frozen=True)
class FoundFault:
    """A finding, with its asset's type, what it touches, and what it proposes: a change of the mapping, or a calibration."""

    finding: Finding
    asset_type: str = ""
    touches: tuple[Touched, ...] = ()
    change: Change | None = None
    calibration: Calibration | None = None

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts by source, asset (numbers by value), signal, time and kind."""
        one = self.finding
        since = (
            np.iinfo(np.int64).min if one.since is None else int(one.since.astype("datetime64[ns]").astype(np.int64))
        )
        return one.source, self.asset_type, _natural(one.asset), one.signal, since, one.kind


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


@dataclass(frozen=True)
class QualityReport:
    """What `Twin.check` found: by source, asset and signal; what, since when, how sure, what it touches, and the fix.

    Attributes
    ----------
    table : DataFrame
        A row a finding; see `to_frame`.
    notes : tuple of str
        What couldn't be checked, and why.
    """

    twin: str
    faults: tuple[FoundFault, ...] = field(repr=False)
    channels: int
    """Number of signals of assets that were checked."""
    start: np.datetime64 | None = None
    """Begin of the data that were checked, UTC."""
    stop: np.datetime64 | None = None
    """End of the data that were checked, UTC, not included."""
    notes: tuple[str, ...] = ()
    mappings: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Source -> text of its mapping when it was checked."""

    @property
    def table(self) -> pd.DataFrame:
        """The findings; see `to_frame`."""
        return self.to_frame()

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each finding, by source, asset and signal.

        Returns
        -------
        DataFrame
            ``kind`` (what is wrong: "unit", "clock", "drift", "disagreement", "missing", "definition" or the test that gave flags),
            ``source, tag, asset, signal``, ``since`` and ``until`` (UTC; NaT where the data begin or end so),
            ``confidence`` (0..1), ``evidence`` (a sentence with numbers) and ``fix`` (a line of YAML; empty if there is none).
        """
        return findings_frame(one.finding for one in self.faults)

    def to_json(self) -> str:
        """Return the findings as JSON: a list of objects with the columns of `to_frame`, in ISO 8601 and UTC."""
        text: str = self.to_frame().to_json(orient="records", date_format="iso", indent=2)
        return text

    def touches(self) -> pd.DataFrame:
        """Return what the findings touch: ``row`` (in `table`), ``what`` ("rule", "event"), ``name`` and ``count``.

        Returns
        -------
        DataFrame
            Rules read the signal; ``count`` is the number of events of the asset within the finding's span, <NA> for rules.
        """
        import pandas as pd  # noqa: PLC0415  (takes a third of a second)

        rows = [(row, *each) for row, one in enumerate(self.faults) for each in one.touches]
        return pd.DataFrame(rows, columns=["row", "what", "name", "count"]).astype({
            "row": "int64", "what": "str", "name": "str", "count": "Int64",
        })  # fmt: skip

    def fixed_mapping(self, *rows: int) -> str:
        """Return the text of a source's mapping with the fixes of some rows of `table`; ``twin.remap`` takes it.

        Parameters
        ----------
        *rows : int
            Rows with a fix in the mapping of the same source.

        Raises
        ------
        SchemaError
            If there is no such row, it has no fix in a mapping, or the rows are of several sources.
        """
        changes = [self._change(row) for row in rows]
        sources = sorted({change.origin.source for change in changes})
        if len(sources) != 1:
            msg = f"expected rows of one source, got {', '.join(sources) or 'no rows'}; call it for each source"
            raise SchemaError(msg)
        text = self.mappings[sources[0]]
        for change in changes:
            text = change.applied(text)
        return text

    def calibration(self, row: int) -> Calibration:
        """Return the calibration that corrects the drift of a row of `table`.

        ``twin.history(…, calibrated=report.calibration(row))`` shows what it does, ``twin.calibrated_exceptions`` with
        ``calibrations=`` which exceptions would not have fired, and ``twin.add_calibration(…, author=…)`` applies it.

        Raises
        ------
        SchemaError
            If there is no such row, or it proposes no calibration.
        """
        one = self._fault(row)
        if one.calibration is None:
            msg = (
                f"expected a row that proposes a calibration, got row {row} ({one.finding.kind} of {place_text(one.finding)}); "
                "only drifts do"
            )
            raise SchemaError(msg)
        return one.calibration

    def _fault(self, row: int) -> FoundFault:
        if not 0 <= row < len(self.faults):
            msg = f"expected a row from 0 to {len(self.faults) - 1}, got {row}; report.table lists them"
            raise SchemaError(msg)
        return self.faults[row]

    def _change(self, row: int) -> Change:
        one = self._fault(row)
        if one.change is None:
            what = one.finding.fix
            hint = f"its fix isn't in a mapping: {what}" if what else "it has no fix that can be made for you"
            if one.calibration is not None:
                hint = f"its fix is a calibration: twin.add_calibration(report.calibration({row}), author=…)"
            msg = f"expected a row with a fix in a mapping, got row {row} ({one.finding.kind} of {place_text(one.finding)}); {hint}"
            raise SchemaError(msg)
        return one.change

    def counts(self) -> dict[str, int]:
        """Return the number of findings of each kind, most frequent first."""
        return dict(Counter(one.finding.kind for one in self.faults).most_common())

    def _shown(self) -> list[tuple[int, FoundFault]]:
        """Return the rows that text and HTML show: those with a fix first, then the most certain; in the table's order."""
        rows = sorted(enumerate(self.faults), key=lambda pair: (not pair[1].finding.fix, -pair[1].finding.confidence))
        return sorted(rows[:_SHOWN], key=lambda pair: pair[0])

    def head(self) -> str:
        """Return one line: how much was found, in how many channels, of which span."""
        number = len(self.faults)
        hit = len(
            {(one.asset_type, one.finding.asset, one.finding.signal) for one in self.faults if one.finding.signal}
        )
        span = f", {span_text(self.start, self.stop)} UTC" if self.start is not None else ""
        what = "nothing found" if not number else f"{number:,} finding{'' if number == 1 else 's'} in {hit:,} of"
        of = f"{self.channels:,} channel{'' if self.channels == 1 else 's'}"
        return f"{what} {of}{span}" if number else f"{what} in {of}{span}"

    def _kinds(self) -> str:
        return ", ".join(f"{number:,} {kind}" for kind, number in self.counts().items())

    def _left(self) -> str:
        left = len(self.faults) - _SHOWN
        return f"… and {left:,} more: report.table has all" if left > 0 else ""

    def text(self) -> str:
        """Return the report as lines of text."""
        lines = [f"<QualityReport {self.twin}> {self.head()}"]
        lines += [f"  {self._kinds()}"] if self.faults else []
        source = None
        for row, one in self._shown():
            found = one.finding
            if found.source != source:
                source = found.source
                lines.append(f"  {source or '(no source)'}")
            times = span_text(found.since, found.until)
            lines.append(
                f"    {row:>3}  {found.kind} {share_text(found.confidence)}  {place_text(found)}{f'  {times}' if times else ''}"
            )
            lines.append(f"         {found.evidence}")
            lines += [f"         touches {touched_text(one.touches)}"] if one.touches else []
            lines += [f"         fix: {found.fix}"] if found.fix else []
        lines += [f"  {text}" for text in (self._left(), *self.notes) if text]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        rows: Sequence[tuple[int, FoundFault]] = self._shown()
        cells = [
            {
                "row": row,
                "kind": one.finding.kind,
                "share": share_text(one.finding.confidence),
                "width": f"{44 * one.finding.confidence:.0f}",
                "source": one.finding.source,
                "tag": one.finding.tag,
                "asset": one.finding.asset,
                "signal": one.finding.signal,
                "when": span_text(one.finding.since, one.finding.until).replace(" to ", " to\n").splitlines(),
                "evidence": one.finding.evidence,
                "touches": touched_text(one.touches),
                "fix": one.finding.fix,
            }
            for row, one in rows
        ]
        return str(report_html(self.twin, self.head(), self._kinds(), cells, [self._left(), *self.notes]))
