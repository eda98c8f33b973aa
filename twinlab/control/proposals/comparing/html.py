"""A comparison as HTML: observed values drawn over predicted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.control.proposals.html import effect_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from twinlab.control.proposals.comparing.curves import EffectComparison, Match


__all__ = ["comparison_html"]

_PAGE = (
    '<section class="tl-comparison" aria-label="Predicted against actual" style="font:13px/1.45 system-ui,sans-serif;max-width:720px">'
    '<p style="margin:8px 0 4px;font-size:15px;font-weight:600">{{ mark }} Predicted against actual: {{ match }}</p>'
    '<p style="margin:4px 0;opacity:0.85">{{ span }}</p>'
    '<div style="display:flex;flex-wrap:wrap;gap:16px;margin:8px 0">{% for one in effects %}<div style="flex:1 1 280px;min-width:0">'
    '<p style="margin:2px 0;font-weight:600">{{ one.mark }} {{ one.title }}{{ one.unit }}: {{ one.match }}</p>{{ one.picture }}'
    '<p style="margin:2px 0;opacity:0.85">{{ one.reason }}</p></div>{% endfor %}</div></section>'
)
_MARKS = {"as predicted": "✓", "otherwise": "✕", "not yet": "◔", "can't tell": "?"}


def comparison_html(found: Sequence[EffectComparison], *, match: Match, until: str, complete: bool) -> Markup:
    """Return a comparison as HTML that needs nothing else: no script, no font, no request.

    Parameters
    ----------
    found : sequence of EffectComparison
    match : Match
        Of all of them.
    until : str
        Observations count until this time, UTC.
    complete : bool
        Whether nothing more can come.
    """
    effects = [
        {
            "mark": _MARKS[one.match], "title": one.title, "unit": f", {one.unit}" if one.unit and one.kind != "trip" else "",
            "match": one.match, "reason": one.reason, "picture": _picture(one),
        }
        for one in found
    ]  # fmt: skip
    return html(
        _PAGE, mark=_MARKS[match], match=match, effects=effects,
        span=f"What came until {until[:16].replace('T', ' ')} UTC" + ("; it is in the audit." if complete else "; more will come."),
    )  # fmt: skip


def _picture(one: EffectComparison) -> Markup | str:
    if one.effect is None or not one.minutes:
        return ""
    return effect_picture(one.effect, came=tuple(zip(one.minutes, one.came, strict=True)))
