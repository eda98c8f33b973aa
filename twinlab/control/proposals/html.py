"""A proposal as HTML: verdict, what it would change as small pictures, checks, who is near."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twinlab._html import html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from twinlab.control.proposals.effects.outcome import Effect
    from twinlab.control.proposals.proposal import Proposal

__all__ = ["effect_picture", "proposal_html"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 320, 110, 58, 20
#: Okabe and Ito's colours for the two futures and the limit; dashes show which is which without colour.
_BEFORE, _AFTER, _LIMIT = "#999999", "#0072B2", "#D55E00"
_PICTURE = (
    '<svg viewBox="0 0 {{ width }} {{ height }}" role="img" aria-label="{{ label }}" style="width:100%;max-width:{{ width }}px;height:auto;'
    'overflow:visible">'
    '{% if band %}<polygon points="{{ band }}" fill="{{ colours[1] }}" fill-opacity="0.18"/>{% endif %}'
    '<line x1="{{ left }}" y1="{{ base }}" x2="{{ width }}" y2="{{ base }}" stroke="currentColor" stroke-opacity="0.4"/>'
    '{% if limit is not none %}<line x1="{{ left }}" y1="{{ limit }}" x2="{{ width }}" y2="{{ limit }}" stroke="{{ colours[2] }}" '
    'stroke-width="1.5" stroke-dasharray="2 3"/>{% endif %}'
    '<polyline points="{{ before }}" fill="none" stroke="{{ colours[0] }}" stroke-width="2" stroke-dasharray="6 4"/>'
    '<polyline points="{{ after }}" fill="none" stroke="{{ colours[1] }}" stroke-width="2"/>'
    '{% for x, y in came %}<circle cx="{{ x }}" cy="{{ y }}" r="2.5" fill="none" stroke="currentColor" stroke-width="1.5"/>{% endfor %}'
    '{% for x, y, anchor, text in texts %}<text x="{{ x }}" y="{{ y }}" text-anchor="{{ anchor }}" font-size="10" fill="currentColor">'
    "{{ text }}</text>{% endfor %}</svg>"
    '<div style="font-size:11px;opacity:0.85"><span aria-hidden="true" style="color:{{ colours[0] }}">╌╌</span> without '
    '<span aria-hidden="true" style="color:{{ colours[1] }}">━━</span> with the command (band: 90 % of the futures)'
    '{% if limit is not none %} <span aria-hidden="true" style="color:{{ colours[2] }}">┈┈</span> limit{% endif %}'
    '{% if came %} <span aria-hidden="true">○</span> actual{% endif %}</div>'
)
_PAGE = (
    '<div class="tl-proposal" style="font:13px/1.45 system-ui,sans-serif;max-width:720px">'
    '<p style="margin:4px 0;font-size:15px;font-weight:600">{{ title }}</p>'
    '<p style="margin:4px 0"><span style="display:inline-block;border:2px solid {{ colour }};border-radius:4px;padding:1px 8px;font-weight:600">'
    "{{ mark }} {{ verdict }}</span> {{ status }}</p>"
    '{% for line in refused %}<p style="margin:4px 0 4px 8px">✕ {{ line }}</p>{% endfor %}'
    '<p style="margin:4px 0">Why: {{ reason }}</p>'
    '<div style="display:flex;flex-wrap:wrap;gap:16px;margin:8px 0">{% for effect in effects %}<div style="flex:1 1 280px;min-width:0">'
    '<p style="margin:2px 0;font-weight:600">{{ effect.title }}{{ effect.unit }}: {{ effect.verdict }}</p>{{ effect.picture }}'
    '{% if effect.rows %}<table style="border-collapse:collapse;margin:4px 0;font-size:13px"><thead><tr><th scope="col" style="text-align:left;padding-right:12px">'
    '</th><th scope="col" style="text-align:right;padding-right:12px">without</th><th scope="col" style="text-align:right">with</th></tr></thead>'
    '<tbody>{% for name, before, after in effect.rows %}<tr><th scope="row" style="text-align:left;font-weight:400;padding-right:12px">{{ name }}</th>'
    '<td style="text-align:right;padding-right:12px;white-space:nowrap">{{ before }}</td><td style="text-align:right;white-space:nowrap">{{ after }}</td></tr>{% endfor %}</tbody></table>'
    '{% endif %}<p style="margin:2px 0;opacity:0.85">{{ effect.reason }}</p></div>{% endfor %}</div>'
    '{% if near %}<p style="margin:4px 0">Near: {{ near }}</p>{% endif %}'
    '<details><summary>{{ checks | length }} checks, state of {{ at }}</summary><ul style="margin:4px 0;padding-left:18px">'
    "{% for check in checks %}<li>{{ '✓' if check.passed else '✕' }} {{ check.name }}: {{ check.said }}</li>{% endfor %}</ul></details></div>"
)
_MARKS = {"safe": ("✓", "#009E73"), "unsafe": ("✕", _LIMIT), "can't tell": ("?", "#E69F00"), "refused": ("✕", _LIMIT)}


def proposal_html(proposal: Proposal, *, status: str = "") -> Markup:
    """Return a proposal as HTML that needs nothing else: no script, no font, no request.

    Parameters
    ----------
    proposal : Proposal
    status : str
        What has become of it, a sentence.
    """
    failed = [check.said for check in proposal.checks if not check.passed]
    verdict = "refused" if failed else proposal.verdict
    mark, colour = _MARKS[verdict]
    unit = "" if proposal.unit == "1" else f" {proposal.unit}"
    reported = "unknown" if math.isnan(proposal.reported) else f"{proposal.reported:g}{unit}"
    return html(
        _PAGE,
        title=f"{proposal.target}: {proposal.parameter.replace('_', ' ')} {reported} → {proposal.value:g}{unit}",
        mark=mark, colour=colour, verdict=verdict, status=status, refused=failed, reason=proposal.reason, at=proposal.at,
        effects=[
            {"title": one.title, "unit": f", {one.unit}" if one.unit and one.minutes else "", "verdict": one.verdict, "reason": one.reason, "picture": effect_picture(one), "rows": _rows(one)}
            for one in proposal.effects
        ],
        near=", ".join(one.asset if one.metres is None else f"{one.asset} ({one.metres:.0f} m)" for one in proposal.neighbours),
        checks=proposal.checks,
    )  # fmt: skip


def effect_picture(effect: Effect, *, came: Sequence[tuple[float, float]] = ()) -> Markup | str:
    """Return both futures of an effect as SVG; nothing if it has none.

    Parameters
    ----------
    effect : Effect
    came : sequence of (float, float)
        Minutes and values that came since, drawn as circles.
    """
    if len(effect.minutes) < 2:
        return ""
    shown = [
        *effect.before,
        *effect.after,
        *effect.low,
        *effect.high,
        *([] if effect.limit is None else [effect.limit]),
        *(value for _, value in came),
    ]
    low, high = min(shown), max(shown)
    high = high if high > low else low + 1.0
    first, last = effect.minutes[0], effect.minutes[-1]
    base = _HEIGHT - _BOTTOM

    def point(minute: float, value: float) -> tuple[float, float]:
        x = _LEFT + (minute - first) / ((last - first) or 1.0) * (_WIDTH - _LEFT)
        return round(x, 1), round(base - (value - low) / (high - low) * (base - 8), 1)

    def points(values: Sequence[float]) -> str:
        return " ".join(f"{x},{y}" for x, y in map(point, effect.minutes, values))

    edge = (
        list(zip(effect.minutes, effect.low, strict=False)) + list(zip(effect.minutes, effect.high, strict=False))[::-1]
    )
    texts = [
        (_LEFT - 4, base, "end", f"{low:.3g}"), (_LEFT - 4, 12, "end", f"{high:.3g}"), (_LEFT, _HEIGHT - 4, "start", "now"),
        (_WIDTH, _HEIGHT - 4, "end", f"in {_span(last)}"),
    ]  # fmt: skip
    return html(
        _PICTURE, width=_WIDTH, height=_HEIGHT, left=_LEFT, base=base, colours=(_BEFORE, _AFTER, _LIMIT), texts=texts,
        label=f"{effect.title}: {effect.reason}", before=points(effect.before), after=points(effect.after),
        band=" ".join(f"{x},{y}" for x, y in (point(*one) for one in edge)),
        limit=None if effect.limit is None else point(first, effect.limit)[1],
        came=[point(*one) for one in came if first <= one[0] <= last],
    )  # fmt: skip


def _rows(effect: Effect) -> list[tuple[str, str, str]]:
    rows = []
    for name, (before, after, unit) in effect.kpis.items():
        shown = f" {unit}" if unit else ""
        rows.append((name, f"{before:.3g}{shown}", f"{after:.3g}{shown}"))
    return rows


def _span(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.3g} h"
