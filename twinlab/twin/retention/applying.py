"""Apply a retention rule and a codec: what they would change of a twin, shown first, then done with a proof in the journal."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab._html import html
from twinlab.errors import SchemaError
from twinlab.history.build.cuts import Cut
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.retention.codecs import codec_sizes
from twinlab.history.retention.sizes import size_after
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.write.removal import Removal, preview
from twinlab.twin.report import format_bytes, format_count
from twinlab.twin.retention.codec_table import saved_bytes
from twinlab.twin.retention.kept import kept_spans

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from twinlab.history.store.view import View
    from twinlab.history.write.removal import Kept
    from twinlab.ledger.archive_sizes import Archivable
    from twinlab.model.reader import TwinReader
    from twinlab.model.storage.retention import RetentionRule

__all__ = ["RetentionPreview", "cut_of", "data_span", "decide", "make_removal", "preview_of"]

_TABLE = """\
<div>{{ first }}{% if rows %}<table><tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>\
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>{% endif %}\
{% for line in last %}<div>{{ line }}</div>{% endfor %}</div>"""
_COLUMNS = ("asset type", "signal", "from", "until", "cells that go", "cells that stay")


@dataclass(frozen=True)
class RetentionPreview:
    """What applying ``retention:`` and ``storage: {codec: …}`` would do; nothing is done yet."""

    rule: RetentionRule | None
    """None if ``twin.yaml`` states a codec only."""
    table: pd.DataFrame
    """Columns ``asset_type, signal, start, stop, removed, kept``: numbers of cells with a value."""
    archived: Archivable | None
    """What of the ledger would be moved to the archive; None if the ledger is kept."""
    codecs: tuple[str, str]
    """The codec in use and that which compacted cells would have."""
    bytes: tuple[float, float]
    """Of the twin's folder now, and then, without the files that are replaced, which stay for 24 h; estimated."""

    @property
    def before(self) -> str:
        """The instant before which cells go."""
        return "" if self.table.empty else f"{self.table['stop'].max():%Y-%m-%d %H:%M} UTC"

    def _lines(self) -> tuple[str, list[list[str]], list[str]]:
        first, last = "", []
        if self.rule is not None:
            what = (
                "removed; rollups stay"
                if self.rule.older == "rollups"
                else f"rounded to {self.rule.resolution} resolutions"
            )
            kept = " and ".join(self.rule.keep) or "nothing"
            gone = int(self.table["removed"].sum())
            first = f"{format_count(gone)} cells of gauges older than {self.rule.full_rate} would be {what}; kept at full rate: {kept}"
            last.append(
                "the ledger stays as it is"
                if self.archived is None
                else f"{self.archived} would be moved to {self.rule.archive}, and are read from there"
            )
        rows = [
            [kind, name, f"{start:%Y-%m-%d}", f"{stop:%Y-%m-%d %H:%M}", format_count(removed), format_count(stays)]
            for kind, name, start, stop, removed, stays in self.table.astype(object).to_numpy().tolist()
        ]
        used, then = self.codecs
        if then != used:
            last.insert(0, f"compacted cells would be encoded with {then} instead of {used}; every value stays")
        now, after = map(format_bytes, self.bytes)
        last.append(f"the twin's folder: {now} now, about {after} then; files that are replaced stay for 24 h")
        return first, rows, last

    def __str__(self) -> str:
        first, rows, last = self._lines()
        if not rows:
            return "\n".join([*([first] if first else []), *last])
        cells = [list(_COLUMNS), *rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        return "\n".join([first, *(f"  {line}" for line in lines), *last])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first, rows, last = self._lines()
        return str(html(_TABLE, first=first, rows=rows, last=last, columns=_COLUMNS))


def data_span(view: View) -> tuple[int, int]:
    """Return the start of the first cell of a history and the end of the last, ns.

    Raises
    ------
    SchemaError
        If it has none.
    """
    spans = [
        (view.catalog.entry(group).axis.time(low), view.catalog.entry(group).axis.time(high))
        for group in view.groups()
        for low, high in [view.extent(group)]
        if low < high
    ]
    if not spans:
        msg = "expected a twin with cells to plan what is kept of them, it has none; ingest data first"
        raise SchemaError(msg)
    return min(low for low, _ in spans), max(high for _, high in spans)


def cut_of(view: View, full_rate_ns: int) -> int:
    """Return the last UTC midnight that is at least so long before the end of the last cell."""
    return (data_span(view)[1] - full_rate_ns) // DAY_NS * DAY_NS


def make_removal(
    reader: TwinReader, view: View, rule: RetentionRule, position: Mapping[str, int], *, name: str
) -> Removal:
    """Return what a rule removes from a published state."""
    before = cut_of(view, rule.full_rate_ns)
    since = min(data_span(view)[0], before)
    kept: dict[str, Kept] = kept_spans(
        reader,
        view,
        _columns(view),
        keep=rule.keep,
        margin_ns=rule.margin_ns,
        since_ns=since,
        before_ns=before,
    )
    return Removal(Cut(name, before, tuple(sorted(position.items()))), rule.older, rule.resolution, kept)


def preview_of(
    reader: TwinReader,
    view: View,
    folder: Path,
    *,
    rule: RetentionRule | None,
    archived: Archivable | None,
    codec: str,
) -> RetentionPreview:
    """Return what a rule and a codec would do; ``archived`` is what of the ledger would be moved."""
    import pandas as pd  # noqa: PLC0415

    sizes, in_use = codec_sizes(view), view.catalog.codec
    before = storage_use(folder, view).total
    every, others = saved_bytes(sizes, codec)
    rows, after = [], before - every
    if rule is not None:
        removal, columns = make_removal(reader, view, rule, {}, name="preview"), _columns(view)
        cut = removal.cut.time_ns
        found = size_after(view, removal, [cut], columns, codecs=[codec] if codec != in_use else [])
        gauges = found.after if codec == in_use else found.in_codecs[codec]
        after = before - found.before + gauges[cut] - others - (0.0 if archived is None else archived.freed)
        rows = [
            {
                "asset_type": one.asset_type,
                "signal": one.signal,
                "start": np.datetime64(one.start_ns, "ns"),
                "stop": np.datetime64(one.stop_ns, "ns"),
                "removed": one.removed,
                "kept": one.kept,
            }
            for one in preview(view, removal, columns)
        ]
    table = pd.DataFrame(rows, columns=["asset_type", "signal", "start", "stop", "removed", "kept"])
    return RetentionPreview(rule, table, archived, (in_use, codec), (before, after))


def decide(
    reader: TwinReader, open_view: Callable[[], View], rule: RetentionRule, *, author: str
) -> Callable[[dict[str, int]], tuple[Removal, dict[str, object]]]:
    """Return the function that makes the decision under the lock of the history."""

    def made(position: dict[str, int]) -> tuple[Removal, dict[str, object]]:
        removal = make_removal(reader, open_view(), rule, position, name=secrets.token_hex(4))
        about: dict[str, Any] = {
            "author": author,
            "decided": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "rule": rule.model_dump(mode="json"),
        }
        return removal, about

    return made


def _columns(view: View) -> dict[str, list[str]]:
    found: Any = view.meta.get("assets", {})
    return {str(kind): [str(one) for one in ids] for kind, ids in dict(found).items()}
