"""The closing report for the steering committee: one HTML file, which opens without a network and prints on paper."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from twinlab._files import write_atomically
from twinlab._html import html
from twinlab.explore.files.exportable import check_suffix
from twinlab.explore.files.report import table_html
from twinlab.languages import current_language, date_text, mark, tr, tr_values
from twinlab.pilots.measures import DEFINITIONS, LABELS, Measure
from twinlab.pilots.texts import (
    aim_text,
    baseline_text,
    estimate_text,
    number_text,
    outcome_text,
    stage_text,
)

if TYPE_CHECKING:
    from twinlab.pilots.contents import PilotContents

__all__ = ["report_html", "summary_html", "write_report"]

_CSS = Markup("""
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --page: #fff; --band: #f4f6f8; --blue: #005a8c; --before: #6e7781; --during: #005a8c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #a6b0bb; --line: #3d444d; --page: #14181d; --band: #1f252c; --blue: #56b4e9; --before: #a6b0bb; --during: #56b4e9; }
}
@media print {
  :root { --ink: #000; --soft: #333; --line: #bbb; --page: #fff; --band: #f4f6f8; --blue: #005a8c; --before: #57606a; --during: #005a8c; }
  body { max-width: none; padding: 0; font-size: 11pt; } section { break-inside: avoid; } section.long { break-inside: auto; } .wide { overflow: visible; } details { display: none; }
}
@page { margin: 18mm 16mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px clamp(12px, 4vw, 48px); max-width: 1100px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; color: var(--blue); }
h2 { font-size: 20px; margin: 32px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); break-after: avoid; }
h3 { font-size: 16px; margin: 20px 0 4px; break-after: avoid; }
p { margin: 4px 0; max-width: 80ch; } .sub { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
.card { border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; break-inside: avoid; min-width: 0; }
.card h3 { margin: 0; } .outcome { font-weight: 600; margin: 2px 0 8px; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font: 12px system-ui, "DejaVu Sans", sans-serif; } svg text.soft { fill: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; margin: 8px 0; }
table { border-collapse: collapse; font-size: 13.5px; width: 100%; font-variant-numeric: tabular-nums; }
th { background: var(--band); text-align: left; } th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
ul { padding-left: 20px; margin: 6px 0; } li { margin: 2px 0; overflow-wrap: anywhere; }
pre { background: var(--band); padding: 12px; border-radius: 6px; overflow-x: auto; font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
summary { cursor: pointer; color: var(--blue); margin-top: 8px; }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } .wide table { min-width: 640px; } }
""")
_PAGE = """\
<!DOCTYPE html>
<html lang="{{ language }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">\
<title>{{ title }}</title><link rel="icon" href="data:,"><style>{{ css }}</style></head>\
<body><header><h1>{{ title }}</h1><p class="sub">{{ subtitle }}</p></header><main>\
<section><h2>In short</h2><ul>{% for line in short %}<li>{{ line }}</li>{% endfor %}</ul></section>\
<section><h2>Before and during the pilot</h2><div class="cards">{% for card in cards %}{{ card }}{% endfor %}</div>\
<p class="sub">A bar is the interval of 95 %, a dot the value. “Better” and “worse” are said only where the two intervals don't overlap.</p></section>\
<section><h2>The questions of the pilot</h2>{% for question in questions %}{{ question }}{% endfor %}</section>\
<section><h2>What isn't known</h2>{% if unknown %}<ul>{% for line in unknown %}<li>{{ line }}</li>{% endfor %}</ul>\
{% else %}<p>Nothing that these measures depend on is missing.</p>{% endif %}</section>\
{% for section in tables %}{{ section }}{% endfor %}\
<section class="long"><h2>How each number is defined</h2><dl>{% for name, text in definitions %}<dt>{{ name }}</dt><dd>{{ text }}</dd>{% endfor %}</dl></section>\
<section><h2>The pilot</h2><dl>{% for name, text in about %}<dt>{{ name }}</dt><dd>{{ text }}</dd>{% endfor %}</dl>\
<details><summary>Python that gives these numbers</summary><pre>{{ code }}</pre></details></section>\
</main></body></html>
"""
_CARD = """\
<article class="card"><h3>{{ label }}</h3><p class="outcome">{{ outcome }}</p>{{ picture }}\
<dl><dt>before</dt><dd>{{ before }}</dd><dt>during</dt><dd>{{ during }}</dd><dt>aim</dt><dd>{{ aim }}</dd></dl>\
{% if notes %}<ul class="sub">{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>{% endif %}</article>"""
_QUESTION = """\
<article><h3>{{ question }}</h3><p>{{ answer }}</p>{% if notes %}<ul class="sub">{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>{% endif %}\
{% if decides %}<p class="sub">{{ decides }}</p>{% endif %}\
{% if code %}<details><summary>Python that gives these numbers</summary><pre>{{ code }}</pre></details>{% endif %}</article>"""
_TABLE = """\
<section class="long"><h2>{{ title }}</h2><p class="sub">{{ text }}</p>{{ table }}</section>"""
_BARS = """\
<svg viewBox="0 0 400 {{ height }}" role="img" aria-label="{{ title }}">\
<line x1="60" x2="390" y1="{{ height - 22 }}" y2="{{ height - 22 }}" stroke="var(--line)"/>\
{% for x, text in ticks %}<line x1="{{ x }}" x2="{{ x }}" y1="6" y2="{{ height - 22 }}" stroke="var(--line)"/><text class="soft" x="{{ x }}" y="{{ height - 8 }}" text-anchor="{{ 'end' if loop.last else 'middle' }}">{{ text }}</text>{% endfor %}\
{% if aim is not none %}<line x1="{{ aim }}" x2="{{ aim }}" y1="4" y2="{{ height - 22 }}" stroke="var(--ink)" stroke-dasharray="4 3"/>{% endif %}\
{% for row in rows %}<text x="0" y="{{ row.y + 4 }}">{{ row.name }}</text>\
{% if row.dot is none %}<text class="soft" x="66" y="{{ row.y + 4 }}">not known</text>{% else %}\
{% if row.low is not none %}<line x1="{{ row.low }}" x2="{{ row.high }}" y1="{{ row.y }}" y2="{{ row.y }}" stroke="{{ row.colour }}" stroke-width="8" stroke-linecap="round" stroke-opacity=".45"/>{% endif %}\
{% if row.square %}<rect x="{{ row.dot - 5 }}" y="{{ row.y - 5 }}" width="10" height="10" fill="{{ row.colour }}"/>{% else %}<circle cx="{{ row.dot }}" cy="{{ row.y }}" r="6" fill="{{ row.colour }}"/>{% endif %}{% endif %}{% endfor %}</svg>"""
_SUMMARY = """\
<div><b>{{ title }}</b><p>{{ subtitle }}</p>{{ table }}{% if todo %}<details><summary>Still to do:</summary><ul>{% for line in todo %}<li>{{ line }}</li>{% endfor %}</ul></details>{% endif %}</div>"""
_PHASES = {"before": mark("before"), "during": mark("during")}
_LEFT, _RIGHT = 66.0, 384.0


def write_report(pilot: PilotContents, path: Path) -> Path:
    """Write the report; see `Pilot.report`."""
    check_suffix(path, (".html", ".htm"), "a report")
    text = report_html(pilot)
    return write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def report_html(pilot: PilotContents) -> Markup:
    """Return the report as one HTML page that loads nothing from a network."""
    found = pilot.measures()
    settings = pilot.settings
    noted = baseline_text(pilot.baseline(), settings.bounds("during")[0])
    limits = [f"{tr(LABELS[one.name])}: {note}" for one in found for note in one.notes]  # fmt: skip
    return html(
        _PAGE,
        language=current_language(),
        title=pilot.title,
        css=_CSS,
        subtitle=_subtitle(pilot),
        short=[
            stage_text(pilot),
            *(f"{_sentence(one)} {tr('Aim: {aim}.', aim=aim_text(one))}" for one in found),
            noted,
        ],
        cards=[_card(one) for one in found],
        questions=_questions(pilot),
        unknown=[*_unknown(pilot), *limits],
        tables=_tables(pilot),
        definitions=[(tr(LABELS[name]), tr(text)) for name, text in DEFINITIONS.items()],
        about=_about(pilot),
        code=f"import twinlab as tl\n\npilot = tl.pilot({str(pilot.folder)!r})\nprint(pilot)\npilot.table()",
    )


def summary_html(pilot: PilotContents) -> Markup:
    """Return the measures as a table, for a notebook."""
    return html(
        _SUMMARY,
        title=pilot.title,
        subtitle=_subtitle(pilot),
        table=table_html(_overview(pilot)),
        todo=pilot.open_items(),
    )


def _overview(pilot: PilotContents) -> pd.DataFrame:
    rows = [
        (tr(LABELS[one.name]), estimate_text(one.before, one.unit), estimate_text(one.during, one.unit), outcome_text(one), aim_text(one))
        for one in pilot.measures()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[mark("measure"), "before", "during", mark("change"), mark("aim")])


def _subtitle(pilot: PilotContents) -> str:
    settings = pilot.settings
    return tr(
        "Before {a} to {b}, pilot {c} to {d}, times of {zone}; written {now} UTC",
        a=settings.before.first, b=settings.before.last, c=settings.during.first, d=settings.during.last,
        zone=settings.zone, now=date_text(pilot.now, "%Y-%m-%d %H:%M"),
    )  # fmt: skip


def _sentence(one: Measure) -> str:
    label = tr(LABELS[one.name])
    if one.outcome == "not known":
        return tr("{label}: a change isn't known.", label=label)
    before, during = number_text(one.before.value, one.unit), number_text(one.during.value, one.unit)
    said = {
        "better": mark("{label}: better, {before} before and {during} in the pilot."),
        "worse": mark("{label}: worse, {before} before and {during} in the pilot."),
        "can't tell": mark("{label}: {before} before and {during} in the pilot, which may be chance."),
    }[one.outcome]
    return tr(said, label=label, before=before, during=during)


def _card(one: Measure) -> Markup:
    return html(
        _CARD,
        label=tr(LABELS[one.name]),
        outcome=outcome_text(one),
        picture=_bars(one),
        before=estimate_text(one.before, one.unit),
        during=estimate_text(one.during, one.unit),
        aim=aim_text(one),
        notes=(*one.remarks, *one.notes),
    )


def _bars(one: Measure) -> Markup:
    """Return the two intervals on one axis that begins at zero."""
    numbers = [x for part in (one.before, one.during) for x in (part.value, part.high) if not math.isnan(x)]
    top = 1.0 if one.unit == "%" else 1.1 * max([*numbers, one.aim or 0.0, 1e-9])

    def place(value: float) -> float | None:
        return None if math.isnan(value) else round(_LEFT + (_RIGHT - _LEFT) * min(value / top, 1.0), 1)

    rows = [
        {
            "name": tr(name), "y": 20 + 26 * at, "dot": place(part.value), "low": place(part.low) if part.bounded and part.known else None,
            "high": place(part.high), "colour": f"var(--{kind})", "square": kind == "before",
        }
        for at, (kind, name, part) in enumerate((("before", mark("before"), one.before), ("during", mark("during"), one.during)))
    ]  # fmt: skip
    return html(
        _BARS,
        height=86,
        title=tr("{label}: intervals before and during the pilot", label=tr(LABELS[one.name])),
        rows=rows,
        aim=None if one.aim is None else place(one.aim),
        ticks=[(place(top * part), number_text(top * part, one.unit)) for part in (0.0, 0.5, 1.0)],
    )


def _questions(pilot: PilotContents) -> list[Markup]:
    made = []
    for one in pilot.answers():
        answer = one.answer
        said = (
            tr("No question in words for the twin is given (ask in pilot.yaml); people answer it.")
            if answer is None
            else answer.sentence
        )
        decides = (
            tr("Then: {decides}", decides=one.decides)
            if one.decides
            else tr("What is done differently then wasn't stated.")
        )
        values = {"question": one.question, "answer": said, "decides": decides}
        made.append(
            html(
                _QUESTION,
                **values,
                notes=[] if answer is None else answer.notes,
                code="" if answer is None else answer.code,
            )
        )
    return made  # fmt: skip


def _unknown(pilot: PilotContents) -> list[str]:
    """Return what the twin can't know."""
    found = [
        tr(
            "Whether the weeks before and the weeks of the pilot were alike: season, load and staff aren't corrected for."
        )
    ]
    if pilot.settings.search is None:
        found.append(tr("How much of a search is the twin's own part: pilot.yaml names no asset type (search)."))
    if pilot.usage().empty:
        found.append(tr("Nobody knows how the pages were used: use wasn't counted."))
    return found


def _tables(pilot: PilotContents) -> list[Markup]:
    sections = []
    looked_up = pilot.lookup_times()
    if looked_up is not None:
        text = tr(
            "Of {count} assets of the type {kind}, looked up when this was written, the twin knew the place of {known}; median {ms:,.0f} ms a lookup. "
            "The rest of a search is people: the question, typing, the answer.",
            count=len(looked_up.seconds), kind=looked_up.asset_type, known=looked_up.known, ms=1000 * looked_up.median,
        )  # fmt: skip
        sections.append(html(_TABLE, title=tr("The twin's own part of a search"), text=text, table=Markup()))
    alerts = pilot.alerts
    if len(alerts):
        sections.append(html(_TABLE, title=tr("Alerts of the pilot"), text=tr("All that the twin raised, and what was said of each."), table=table_html(_alert_rows(alerts))))  # fmt: skip
    if len(pilot.found):
        sections.append(html(_TABLE, title=tr("Complaints of the pilot"), text=tr("And the alert that came before each, if one did."), table=table_html(_complaint_rows(pilot.found))))  # fmt: skip
    if len(usage := pilot.usage()):
        text = tr(
            "How often pages were opened and tasks done, by week from Monday on; no names, counts below five aren't shown."
        )
        sections.append(html(_TABLE, title=tr("Use of the pages"), text=text, table=table_html(_usage_rows(usage))))
    if len(pilot.entered):
        sections.append(html(_TABLE, title=tr("What people entered"), text=tr("Each row with its source."), table=table_html(_entered_rows(pilot.entered))))  # fmt: skip
    return sections


def _usage_rows(usage: pd.DataFrame) -> pd.DataFrame:
    kinds = {"page": mark("page"), "task": mark("task"), "answer": mark("answer")}
    columns = {
        mark("week"): [date_text(one) for one in usage["start"]],
        mark("kind"): usage["kind"].map(tr_values(kinds)),
        mark("name"): usage["name"],
        mark("count"): usage["shown"],
    }
    return pd.DataFrame(columns)


def _entered_rows(entered: pd.DataFrame) -> pd.DataFrame:
    units = {"time_to_find": "s", "cleaning_time": "min"}
    columns = {
        mark("phase"): entered["phase"].map(tr_values(_PHASES)),
        mark("day"): [date_text(one) for one in entered["day"]],
        mark("measure"): entered["measure"].map(tr_values({**LABELS, "alarms": mark("Alarms")})),
        mark("value"): entered["value"],
        mark("unit"): entered["measure"].map(units).fillna(""),
        mark("source"): entered["source"],
    }
    return pd.DataFrame(columns)


def _alert_rows(alerts: pd.DataFrame) -> pd.DataFrame:
    said = {"right": mark("right"), "false": mark("false"), "": mark("no verdict")}
    by = {"a person": mark("a person"), "later data": mark("later data"), "": ""}
    columns = {
        mark("raised (UTC)"): alerts["noted"].dt.floor("min"),
        mark("alert"): alerts["title"],
        mark("asset or event"): alerts["asset"].where(alerts["asset"] != "", alerts["event_id"]),
        mark("what"): alerts["text"],
        mark("verdict"): alerts["judged"].map(tr_values(said)),
        mark("by"): alerts["by"].map(tr_values(by)),
    }
    return pd.DataFrame(columns).sort_values("raised (UTC)", ignore_index=True)


def _complaint_rows(found: pd.DataFrame) -> pd.DataFrame:
    lead = [
        tr("{minutes:,.0f} min before", minutes=one / pd.Timedelta("1min")) if pd.notna(one) else tr("not found before")
        for one in found["lead"]
    ]
    columns = {
        mark("complaint (UTC)"): found["time"],
        mark("about"): found["kind"] + "/" + found["id"],
        mark("alert"): lead,
        mark("source"): found["source"],
    }
    return pd.DataFrame(columns)


def _about(pilot: PilotContents) -> list[tuple[str, str]]:
    settings = pilot.settings
    people = [(role.replace("_", " "), does or tr("not stated")) for role, does in settings.people.items()]
    return [
        (tr("Twin"), pilot.twin.model.title or pilot.twin.model.twin),
        (tr("Files"), ", ".join(settings.files) or tr("not stated")),
        *people,
    ]
