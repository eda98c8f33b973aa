"""Release or discard a quarantined message, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.kit.panes import Html
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.pages.security.twins import SecuredTwin

__all__ = ["Deciding"]

_LINE = (
    '<div role="{{ role }}" style="font:14px/1.5 Roboto,system-ui,sans-serif;overflow-wrap:anywhere">{{ text }}</div>'
)


class Deciding:
    """Name, reason and two buttons for the chosen message.

    Parameters
    ----------
    twin : SecuredTwin
    author : str
        Name that is proposed.
    fixed : bool
        Whether the name is that of a user who has logged in, and can't be changed.
    done : callable
        Called after a decision.
    """

    def __init__(self, twin: SecuredTwin, *, author: str, fixed: bool, done: Callable[[], None]) -> None:
        self._twin, self._done, self._id = twin, done, ""
        self.by = pmui.TextInput(
            label=tr("Your name"), value=author, disabled=fixed, size="small", width=200, margin=(4, 10)
        )
        self.note = pmui.TextInput(label=tr("Why"), value="", size="small", width=320, margin=(4, 10))
        self.release = _button(tr("Release into the ledger"), "login", "outlined")
        self.discard = _button(tr("Discard"), "delete", "outlined")
        self.release.on_click(self._release)
        self.discard.on_click(self._discard)
        self.line = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._fields = pn.Column(
            pn.FlexBox(self.by, self.note),
            pn.FlexBox(self.release, self.discard),
            sizing_mode="stretch_width",
            visible=False,
        )
        self.pane = pn.Column(self._fields, self.line, sizing_mode="stretch_width")

    def choose(self, id: str) -> None:  # noqa: A002
        """Offer a decision on a message; none for an empty id."""
        if id != self._id and id:
            self.say("")
        self._id = id
        self._fields.visible = bool(id)

    def say(self, text: str, *, failed: bool = False) -> None:
        """Show a sentence."""
        self.line.object = (
            html(_LINE, role="alert" if failed else "status", text=f"⚠ {text}" if failed else text) if text else ""
        )

    async def _release(self, *_: object) -> None:
        await self._decide("released")

    async def _discard(self, *_: object) -> None:
        await self._decide("discarded")

    async def _decide(self, decision: str) -> None:
        by, note, chosen = str(self.by.value).strip(), str(self.note.value).strip(), self._id
        if not (by and note):
            self.say(tr("Say who decides and why: the audit has both."), failed=True)
            return
        act = self._twin.release_message if decision == "released" else self._twin.discard_message
        for button in (self.release, self.discard):
            button.disabled = True
        try:
            await asyncio.to_thread(lambda: act(chosen, by=by, note=note))
        except (TwinlabError, OSError) as error:
            self.say(str(error), failed=True)
            return
        finally:
            for button in (self.release, self.discard):
                button.disabled = False
        self.note.value = ""
        self.choose("")
        rest = (
            tr("the historian stores its rows once those before it are there")
            if decision == "released"
            else tr("its bytes are gone, the record stays")
        )
        self.say(tr("{decision} by {by}: {rest}.", decision=decision.capitalize(), by=by, rest=rest))
        self._done()


def _button(label: str, icon: str, variant: str) -> pmui.Button:
    return pmui.Button(
        label=label, icon=icon, variant=variant, size="small", margin=(4, 10), sx={"textTransform": "none"}
    )
