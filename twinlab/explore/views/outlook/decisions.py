"""Train a model again, look at what the new version changes, and use it or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from twinlab.errors import TwinlabError
from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.background.run_bar import RunBar
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.outlook.computing import Steps
from twinlab.explore.views.outlook.part import html_pane
from twinlab.languages import mark, tr

__all__ = ["ModelDecisions"]

_NONE = mark(
    "No new version is proposed. Train again fits the model to what was known two weeks before the end of the history, and compares both versions on these weeks."
)
_OPEN = mark("Version {version} is proposed. Compare shows what it changes; then it can be promoted or discarded.")


class ModelDecisions:
    """Buttons and the diff of a model's proposed version (``pane``).

    Parameters
    ----------
    twin : Any
        With ``models``.
    author : str
        Who decides.
    on_decided : callable
        Called when a version was proposed, promoted or discarded.
    """

    def __init__(self, twin: Any, *, author: str, on_decided: Callable[[], None]) -> None:
        self._twin, self._author, self._on_decided = twin, author, on_decided
        self.name = ""
        #: The proposed version, and what it changes; None before it was compared.
        self.proposal: Any = None
        self.diff: Any = None
        self._run: BackgroundRun[tuple[int, int, str]] | None = None
        self.bar = RunBar(
            tr("Train again"),
            on_run=self.train,
            on_cancel=self.cancel,
            ready=_NONE,
            before={tr("Compare"): self.compare},
        )
        self.reason = pmui.TextInput(label=tr("Why"), placeholder=tr("for who reads it later"), width=260, size="small")
        self.promote = pmui.Button(label=tr("Promote"), icon="check", variant="contained", size="small")
        self.discard = pmui.Button(label=tr("Discard"), icon="close", variant="outlined", size="small")
        self.promote.on_click(lambda _: self.decide("promote"))
        self.discard.on_click(lambda _: self.decide("discard"))
        # A row's own style would show it although it isn't visible.
        self._buttons = pn.Column(
            row([self.reason, self.promote, self.discard], margin=(4, 0, 4, 0)), sizing_mode="stretch_width"
        )
        self._diff = html_pane()
        self._alert = pmui.Alert(
            object="", severity="error", visible=False, margin=(4, 10), sizing_mode="stretch_width"
        )
        self.pane = pn.Column(self.bar.pane, self._alert, self._diff, self._buttons, sizing_mode="stretch_width")

    def show(self, name: str) -> None:
        """Show the state of a model."""
        self.cancel()
        self.name, self.proposal, self.diff = name, None, None
        self._alert.visible = False
        waiting = self._twin.models.proposals(name)
        if waiting:
            self.proposal = self._twin.models.proposal(name, waiting[-1])
        self._draw()

    def train(self) -> None:
        """Fit the model again, propose it, and compare it, in the background."""
        name, author, reason = self.name, self._author, str(self.reason.value or "")

        def work(steps: Steps) -> tuple[Any, Any]:
            steps.at(0, 2, tr("{name} is trained again …", name=name))
            proposal = self._twin.models.retrain(name, author=author, reason=reason)
            steps.at(1, 2, tr("Both versions are compared …"))
            return proposal, proposal.diff()

        self._start(work)

    def compare(self) -> None:
        """Compare the proposed version with the one in use, in the background."""
        proposal = self.proposal
        if proposal is None:
            self.bar.say(tr("There is no proposed version to compare; press Train again."))
            return

        def work(steps: Steps) -> tuple[Any, Any]:
            steps.at(0, 1, tr("Both versions are compared …"))
            return proposal, proposal.diff()

        self._start(work)

    def cancel(self) -> None:
        """Drop what is computed; a proposal that is made meanwhile stays open."""
        if self._run is not None:
            self._run.cancel()
            self._run = None
            self.bar.end(tr("Cancelled."))

    def decide(self, what: str) -> None:
        """Promote or discard the proposed version."""
        if self.proposal is None or (what == "promote" and self.diff is None):
            return
        version = self.proposal.version[:10]
        try:
            getattr(self.proposal, what)(author=self._author, reason=str(self.reason.value or ""))
        except TwinlabError as error:
            self._failed(str(error))
            return
        self.reason.value = ""
        self.show(self.name)
        self.bar.end(
            tr("Version {version} was {part}.", version=version, part="promoted" if what == "promote" else "discarded")
        )
        self._on_decided()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _start(self, work: Callable[[Steps], tuple[Any, Any]]) -> None:
        self._alert.visible = False
        self.bar.begin(tr("It begins …"))
        run: BackgroundRun[tuple[int, int, str]] = BackgroundRun(
            lambda *, progress, cancel: work(Steps(progress, cancel)),
            on_progress=self._progressed,
            on_end=lambda found, fault: self._ended(run, found, fault),
        )
        self._run = run
        run.start()

    def _progressed(self, steps: list[tuple[int, int, str]]) -> None:
        done, of, text = steps[-1]
        if self._run is not None:
            self.bar.say(text, percent=int(100 * done / max(of, 1)))

    def _ended(self, run: object, found: Any, fault: str | None) -> None:
        if run is not self._run:
            return
        self._run = None
        if fault is not None:
            self._failed(fault)
            return
        self.proposal, self.diff = found
        self._draw()
        self._on_decided()

    def _failed(self, fault: str) -> None:
        self._alert.param.update(object=fault, visible=True)
        self.bar.end(tr("Nothing was changed."))

    def _draw(self) -> None:
        self._diff.object = "" if self.diff is None else self.diff._repr_html_()
        self._buttons.visible = self.proposal is not None
        # What nobody has looked at isn't promoted.
        self.promote.disabled = self.diff is None
        self.bar.end(tr(_NONE) if self.proposal is None else tr(_OPEN, version=self.proposal.version[:10]))
