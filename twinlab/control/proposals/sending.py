"""Send an approved plan: select, operate, acknowledgement, read-back; through the twin's own guard and the device's."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from twinlab._html import html
from twinlab.commands.messages.answer import Answer, Outcome
from twinlab.errors import TwinlabError

if TYPE_CHECKING:
    from twinlab.control.proposals.desk import Desk
    from twinlab.control.proposals.proposal import Proposal

__all__ = ["SendResult", "Step", "send_commands"]

_HTML = (
    '<div class="tl-sent" style="font:13px/1.45 system-ui,sans-serif;max-width:720px"><p style="margin:4px 0;font-weight:600">'
    '{{ mark }} {{ outcome }}: {{ target }} {{ parameter }}</p><p style="margin:4px 0">predicted {{ predicted }}, reported {{ reported }}</p>'
    '<ol style="margin:4px 0;padding-left:20px">{% for step in steps %}<li>{{ step.name }}: {{ step.outcome }}, {{ "%.0f" | format(step.seconds * 1000) }} ms. '
    "{{ step.said }}</li>{% endfor %}</ol></div>"
)


@dataclass(frozen=True)
class Step:
    """One step of sending."""

    name: str
    """``select``, ``operate``, ``read back``."""
    outcome: str
    said: str
    seconds: float


@dataclass(frozen=True)
class SendResult:
    """Outcome of a plan that was sent."""

    plan: str
    target: str
    parameter: str
    outcome: Outcome
    """``done``: acknowledged and read back within the tolerance. ``refused``: nothing changed. ``fail_safe``: the asset went to its
    fail-safe value. ``unknown``: look at the asset; it isn't sent again."""
    reason: str
    predicted: float | None
    """Setpoint; None after an emergency stop, if only the device knows its fail-safe value."""
    reported: float | None
    """What the asset reports afterwards; None if nothing could be read."""
    unit: str
    device: str
    """Whose signed answer it is; "" if no answer came."""
    steps: tuple[Step, ...]
    at: str = ""
    """When it ended, UTC; "" of a plan that an earlier version has sent."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return asdict(self)

    def _repr_html_(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        return str(html(
            _HTML, mark="✓" if self.outcome == "done" else "✕", outcome=self.outcome.replace("_", "-"), target=self.target,
            parameter=self.parameter.replace("_", " "), predicted="its fail-safe value" if self.predicted is None else f"{self.predicted:g}{unit}",
            reported="nothing" if self.reported is None else f"{self.reported:g}{unit}", steps=self.steps,
        ))  # fmt: skip


def send_commands(
    desk: Desk,
    proposal: Proposal,
    select: bytes,
    operate: bytes,
    *,
    timeout: float,
    progress: Callable[[Step], object] | None = None,
) -> SendResult:
    """Send both commands of a plan, each first to the twin's own guard, then to the device.

    Never sent twice: if no answer comes, what the asset reports is read, and the outcome is what that shows.

    Parameters
    ----------
    desk : Desk
    proposal : Proposal
    select, operate : bytes
        Envelopes with all signatures.
    timeout : float
        Seconds for each answer.
    progress : callable, optional
        Called with each step when it begins and when it has ended.
    """
    target, guard, carried = proposal.target, desk.guard, desk.carried
    steps = _Steps(progress)

    def done(answer: Answer) -> SendResult:
        return _result(desk, proposal, answer, steps)

    answer = _step(steps, "select", lambda: guard.submit(select))
    if answer.outcome != "selected":
        return done(answer)
    try:
        answer = _step(steps, "select at the device", lambda: carried.send(select, target, timeout=timeout))
    except (TwinlabError, OSError) as error:
        # A selection that the device made ends by itself.
        steps.add(Step("select at the device", "refused", str(error), 0.0))
        return done(answer.model_copy(update={"outcome": "refused", "reason": f"nothing was set: {error}"}))
    if answer.outcome != "selected":
        return done(answer)
    carried.about(target, operate)
    carried.answers.pop(target, None)
    own = _step(steps, "operate", lambda: guard.submit(operate))
    device = carried.answers.get(target)
    if own.outcome == "unknown" and device is not None and device.outcome in {"refused", "fail_safe"}:
        # As the device itself reports: it went to its fail-safe value without a command.
        return done(device)
    return done(own)


class _Steps:
    """Steps that have ended, each shown to who waits."""

    def __init__(self, progress: Callable[[Step], object] | None) -> None:
        self.ended: tuple[Step, ...] = ()
        self._progress = progress

    def begin(self, name: str) -> None:
        self._show(Step(name, "under way", "", 0.0))

    def add(self, step: Step) -> None:
        self.ended = (*self.ended, step)
        self._show(step)

    def _show(self, step: Step) -> None:
        # A page that was closed mustn't end what is under way.
        if self._progress is not None:
            with suppress(Exception):
                self._progress(step)


def _step(steps: _Steps, name: str, act: Callable[[], Answer]) -> Answer:
    steps.begin(name)
    began = time.perf_counter()
    answer = act()
    steps.add(Step(name, answer.outcome, answer.reason, time.perf_counter() - began))
    return answer


def _result(desk: Desk, proposal: Proposal, answer: Answer, steps: _Steps) -> SendResult:
    steps.begin("read back")
    began = time.perf_counter()
    reported, said = answer.value, answer.reason
    try:
        state = desk.carried.read_back(proposal.target, proposal.parameter)
    except (TwinlabError, OSError) as error:
        # The command was sent: its outcome is recorded even if something can't be read now.
        steps.add(Step("read back", "unknown", str(error), time.perf_counter() - began))
    else:
        reported = state.value
        steps.add(Step("read back", "reported", f"{state.value:g} {state.unit}", time.perf_counter() - began))
    device = desk.carried.answers.get(proposal.target)
    return SendResult(
        proposal.id, proposal.target, proposal.parameter, answer.outcome, said, proposal.value, reported, proposal.unit,
        "" if device is None else device.device, steps.ended, f"{desk.clock():%Y-%m-%dT%H:%M:%S}Z",
    )  # fmt: skip
