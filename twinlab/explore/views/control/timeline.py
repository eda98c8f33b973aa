"""The progress of a command as a line of steps: select, operate, acknowledged, read back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from twinlab._html import html
from twinlab.languages import mark, tr

__all__ = ["STEPS", "timeline", "timeline_html"]

#: Steps as they are shown, and the names that sending gives them.
STEPS = {
    "select": ("select", mark("select at the device")),
    "operate": ("operate",),
    "acknowledged": ("operate",),
    "read back": ("read back",),
}
#: State -> sign. The state is shown as text, too, for readers to whom the sign isn't visible.
_SIGNS = {"waiting": "○", "under way": "◔", "done": "✓", "refused": "✕", "unknown": "?", "fail-safe": "!"}
_GOOD = {"selected", "done", "reported"}
_HTML = """\
<style>.tl-steps{display:flex;flex-wrap:wrap;gap:6px 0;list-style:none;margin:6px 0;padding:0;font:14px/1.45 Roboto,system-ui,sans-serif}
.tl-steps li{flex:1 1 130px;border-top:3px solid rgba(127,127,127,.35);padding:8px 12px 2px 0;min-width:0;overflow-wrap:anywhere}
.tl-steps li[data-state="done"]{border-color:#009E73}.tl-steps li[data-state="under way"]{border-color:#0072B2}
.tl-steps li[data-state="refused"],.tl-steps li[data-state="fail-safe"],.tl-steps li[data-state="unknown"]{border-color:#D55E00}
.tl-steps b{font-weight:600}.tl-steps small{display:block;font-size:13px;opacity:.85}</style>
<ol class="tl-steps" aria-label="Steps of the command">{% for one in steps %}<li data-state="{{ one.state }}">
<b><span aria-hidden="true">{{ one.sign }}</span> {{ one.name }}</b><small>{{ one.state }}{% if one.said %}: {{ one.said }}{% endif %}</small></li>{% endfor %}</ol>"""


def timeline(happened: Sequence[Any], *, outcome: str = "") -> list[dict[str, str]]:
    """Return the state of each step.

    Parameters
    ----------
    happened : sequence of Step
        With ``name``, ``outcome``, ``said`` and ``seconds``; the outcome of one that has begun is "under way".
    outcome : str
        Outcome of the whole; "" while it is under way.

    Returns
    -------
    list of dict
        ``name``, ``state``, ``sign`` and ``said``.

    Examples
    --------
    >>> [one["state"] for one in timeline([])]
    ['waiting', 'waiting', 'waiting', 'waiting']
    """
    last = {one.name: one for one in happened}
    found = []
    failed = False
    for name, parts in STEPS.items():
        ones = [last[part] for part in parts if part in last]
        state, said = _state(name, ones, complete=len(ones) == len(parts))
        if failed and state == "waiting":
            said = tr("not reached")
        failed = failed or state in {"refused", "unknown", "fail-safe"}
        found.append({"name": name, "state": state, "sign": _SIGNS[state], "said": said})
    if outcome and not failed and outcome != "done":
        found[-1].update(state=_word(outcome), sign=_SIGNS[_word(outcome)])
    return found


def timeline_html(happened: Sequence[Any], *, outcome: str = "") -> Markup:
    """Return the steps as HTML."""
    return html(_HTML, steps=timeline(happened, outcome=outcome))


def _state(name: str, ones: list[Any], *, complete: bool) -> tuple[str, str]:
    bad = next((one for one in ones if one.outcome not in _GOOD and one.outcome != "under way"), None)
    if bad is not None:
        return _word(bad.outcome), str(bad.said)
    if not ones:
        return "waiting", ""
    # What is operated is acknowledged by the same answer.
    if name == "operate":
        return "done", "sent"
    if not complete or any(one.outcome == "under way" for one in ones):
        return "under way", ""
    took = tr("{ones:.0f} ms", ones=sum(one.seconds for one in ones) * 1000)
    return "done", f"{ones[-1].said}, {took}" if name == "read back" else took


def _word(outcome: str) -> str:
    word = outcome.replace("_", "-")
    return word if word in _SIGNS else "unknown"
