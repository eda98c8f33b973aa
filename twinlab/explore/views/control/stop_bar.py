"""The emergency stop: at the top of the page, for one person, without a question after the press."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.panes import Html
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.views.control.signing import SignerOfPage

__all__ = ["StopBar"]

#: Stays in view while the page is scrolled.
_STICKY = {
    "position": "sticky", "top": "0", "z-index": "20", "background": "var(--panel-background-color, Canvas)", "padding": "2px 0 4px",
    "border-bottom": "2px solid #D55E00",
}  # fmt: skip
_SAID = '<div role="status" style="font:14px/1.45 Roboto,system-ui,sans-serif;overflow-wrap:anywhere"><span aria-hidden="true">{{ sign }}</span> {{ said }}</div>'


class StopBar:
    """Asset, stop, and the key that stops (``pane``).

    Parameters
    ----------
    twin : Any
        With ``emergency_stop``.
    targets : list of (str, str)
        Assets and their parameters.
    signing : SignerOfPage
    on_stopped : callable
        Called after a stop, also one that failed.
    """

    def __init__(
        self, twin: Any, targets: list[tuple[str, str]], signing: SignerOfPage, *, on_stopped: Callable[[], None]
    ) -> None:
        self._twin, self._signing, self._on_stopped = twin, signing, on_stopped
        parameters = Counter(asset for asset, _ in targets)
        self._targets = {
            f"{asset} {parameter}" if parameters[asset] > 1 else asset: (asset, parameter)
            for asset, parameter in targets
        }
        names = signing.names()
        self.target = pmui.AutocompleteInput(
            label=tr("Asset to stop"), options=list(self._targets), restrict=True, min_characters=0, width=210, size="small", margin=(6, 6),
            case_sensitive=False, search_strategy="includes",
        )  # fmt: skip
        self.stop = pmui.Button(
            label=tr("Emergency stop"),
            icon="dangerous",
            color="error",
            variant="contained",
            size="large",
            margin=(6, 6),
            height=44,
        )
        self.who = pmui.Select(label=tr("Signs"), options=names or ["nobody"], width=130, size="small", margin=(6, 6))
        self.passphrase = pmui.PasswordInput(label=tr("Passphrase"), width=190, size="small", margin=(6, 6))
        self.unlock = pmui.Button(
            label=tr("Unlock for this shift"), icon="lock_open", variant="outlined", size="small", margin=(6, 6)
        )
        self.lock = pmui.Button(
            label=tr("Lock"), icon="lock", variant="outlined", size="small", margin=(6, 6), visible=False
        )
        self.said = Html("", sizing_mode="stretch_width", margin=(2, 10, 6, 10))
        self.stop.on_click(lambda _: self.stop_now())
        self.unlock.on_click(lambda _: self._unlock())
        self.lock.on_click(lambda _: self._lock())
        self.who.param.watch(lambda _: self._show_key(), "value")
        self._show_key()
        self.stop.disabled = self.unlock.disabled = not names
        if not names:
            self._say("○", tr("{signing}. Use the stop at the asset itself.", signing=signing.no_key()))
        self.pane = pn.Column(
            pn.FlexBox(self.target, self.stop, self.who, self.passphrase, self.unlock, self.lock, align_items="center"), self.said,
            sizing_mode="stretch_width", styles=_STICKY,
        )  # fmt: skip

    @property
    def name(self) -> str:
        """Who signs."""
        return str(self.who.value or "")

    def choose(self, asset: str) -> None:
        """Choose the asset that is looked at."""
        label = next((label for label, (one, _) in self._targets.items() if one == asset), None)
        if label is not None:
            self.target.value = label

    def stop_now(self) -> None:
        """Stop the chosen asset."""
        chosen = self._targets.get(str(self.target.value or ""))
        if chosen is None:
            self._say("○", tr("Choose an asset to stop."))
            return
        try:
            signer = self._signing.unlocked(self.name) or self._signing.signer(
                self.name, str(self.passphrase.value or "")
            )
        except TwinlabError as error:
            self._say("✕", tr("{chosen} wasn't stopped: {error}", chosen=chosen[0], error=error))
            return
        finally:
            self.passphrase.value = ""
        self._say("◔", tr("Stopping {chosen} …", chosen=chosen[0]))
        asset, parameter = chosen
        BackgroundRun[str](
            lambda **_: self._twin.emergency_stop(asset, as_=signer, parameter=parameter),
            on_progress=lambda _: None, on_end=lambda found, fault: self._ended(asset, found, fault),
        ).start()  # fmt: skip

    def _ended(self, asset: str, found: Any, fault: str | None) -> None:
        if fault is not None:
            self._say(
                "✕", tr("{asset}: no answer: {fault}. Use the stop at the asset itself.", asset=asset, fault=fault)
            )
        else:
            good = found.outcome in {"done", "fail_safe"}
            reported = "nothing" if found.reported is None else f"{found.reported:g} {found.unit}".strip()
            self._say(
                "✓" if good else "✕",
                tr(
                    "{asset}: {value}, reports {reported}. {reason}",
                    asset=asset,
                    value=found.outcome.replace("_", "-"),
                    reported=reported,
                    reason=found.reason,
                ),
            )
        self._on_stopped()

    def _unlock(self) -> None:
        try:
            self._signing.unlock(self.name, str(self.passphrase.value or ""))
        except TwinlabError as error:
            self._say("✕", str(error))
        else:
            self._say(
                "✓",
                tr(
                    "{name} can stop assets by one press for 8 hours. Approving still asks for the passphrase.",
                    name=self.name,
                ),
            )
        self.passphrase.value = ""
        self._show_key()

    def _lock(self) -> None:
        self._signing.lock()
        self._say("○", tr("Locked."))
        self._show_key()

    def _show_key(self) -> None:
        unlocked = self._signing.unlocked(self.name) is not None
        self.passphrase.visible = self.unlock.visible = not unlocked
        self.lock.visible = unlocked

    def _say(self, sign: str, said: str) -> None:
        self.said.object = html(_SAID, sign=sign, said=said)
