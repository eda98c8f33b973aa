"""Freshness as HTML: sources in a line, and tables of sources and assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from twinlab._html import html
from twinlab.explore.kit.exception_text import records
from twinlab.explore.kit.live.ages import SHAPES, asset_age, seconds_text
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.kit.exception_text import LabelsByType
    from twinlab.explore.pages.now.live.freshness import Freshness

__all__ = ["assets_html", "chips_html", "sources_html"]

#: Most rows of the table of assets.
_ROWS = 60
_STYLE = Markup("""<style>
.fresh{font:13px/1.45 Roboto,system-ui,sans-serif;overflow-x:auto}
.fresh h3{font:500 14px/1.3 Roboto,system-ui,sans-serif;margin:6px 0 2px}
.fresh table{border-collapse:collapse;min-width:min(100%,560px)}
.fresh td,.fresh th{text-align:left;padding:3px 14px 3px 0;font-weight:400;white-space:nowrap;
border-top:1px solid rgba(127,127,127,.25)}
.fresh thead th{opacity:.8;border-top:0}
.fresh .old{opacity:.66;font-style:italic}
.chips{display:flex;flex-wrap:wrap;gap:4px 6px;font:13px/1.4 Roboto,system-ui,sans-serif}
.chips span{border:1px solid rgba(127,127,127,.5);border-radius:12px;padding:1px 9px}
.chips .old{border-style:dashed;border-color:currentColor;opacity:.72;font-style:italic}
</style>""")
_CHIPS = (
    '{{ style }}<div class="chips" role="list" aria-label="Live sources">'
    '{% for one in sources %}<span role="listitem"{% if not one.current %} class="old"{% endif %} title="{{ one.trouble }}">'
    "{{ one.state.split(' ')[0] }} {{ one.name }}{% if not one.current %} {{ one.state.partition(' ')[2] }}{% endif %}"
    " · {{ one.age }}{% if one.trouble and one.current %} · attention{% endif %}</span>{% endfor %}</div>"
)
_TABLE = (
    '{{ style }}<div class="fresh"><h3>{{ title }}</h3><table aria-label="{{ title }}"><thead><tr>'
    '{% for name in head %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>'
    '{% for old, cells in rows %}<tr{% if old %} class="old"{% endif %}>{% for cell in cells %}<td>{{ cell }}</td>{% endfor %}</tr>'
    "{% endfor %}</tbody></table>{% if more %}<div>{{ more }}</div>{% endif %}</div>"
)


def chips_html(found: Freshness) -> Markup:
    """Return all sources in a line: name and age of the last row; a dashed frame and a word for those that aren't current."""
    return html(_CHIPS, style=_STYLE, sources=found.sources)


def sources_html(found: Freshness) -> Markup:
    """Return a table of the sources: state, last row, latency, gaps, clock, and what is wrong."""
    head = ("source", "state", tr("last row"), tr("event to stored, p50 / p99"), "gaps", "clock", "attention")
    rows = [
        (
            not one.current,
            (one.name, one.state, one.age, one.latency, one.gaps, one.clock, one.trouble or "–"),
        )
        for one in sorted(found.sources, key=lambda one: (one.current, not one.trouble))
    ]
    return html(_TABLE, style=_STYLE, title=tr("Sources"), head=head, rows=rows, more="")


def assets_html(found: Freshness, *, titles: Mapping[str, str], labels: LabelsByType) -> Markup:
    """Return a table of the assets, those that aren't live first, then by age; of many the first sixty.

    Parameters
    ----------
    found : Freshness
    titles : mapping of asset type to its title
    labels : mapping of asset type to (asset -> name)
    """
    head = ("asset", "kind", "state", tr("last row"), tr("event to stored, p50 / p99"), "gaps", "clock", "source")
    table = found.assets.assign(good=found.assets["state"] == "live").sort_values(
        ["good", "age"], ascending=[True, False]
    )
    rows = [(row["state"] != "live", _cells(row, titles, labels)) for row in records(table.head(_ROWS).reset_index())]
    more = tr("and {rows:,} others, which are live or younger", rows=len(table) - _ROWS) if len(table) > _ROWS else ""
    live = int((found.assets["state"] == "live").sum())
    title = tr("Assets: {live:,} of {count:,} live", live=live, count=len(table))
    return html(_TABLE, style=_STYLE, title=title, head=head, rows=rows, more=more)


def _cells(row: Mapping[str, Any], titles: Mapping[str, str], labels: LabelsByType) -> tuple[str, ...]:
    kind, asset = row["asset_type"], row["asset"]
    known = row["event_p50"] == row["event_p50"]
    offset = row["clock_offset"]
    return (
        labels.get(kind, {}).get(asset, asset),
        titles.get(kind, kind),
        f"{SHAPES[row['state']]} {row['state']}",
        asset_age(row["age"], "") + " ago",
        f"{seconds_text(row['event_p50'])} / {seconds_text(row['event_p99'])}" if known else "–",
        tr("{gaps:,} not filled", gaps=row["gaps"]) if row["gaps"] else "none",
        "–" if offset != offset else f"{seconds_text(abs(offset))} {'ahead' if offset > 0 else 'behind'}",  # noqa: PLR0124
        row["source"],
    )
