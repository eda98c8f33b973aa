"""Who signs on this page, and with which key."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from typing import Any

from twinlab.errors import CommandRejectedError
from twinlab.languages import tr

__all__ = ["SHIFT", "SignerOfPage"]

#: Seconds for which an unlocked key can stop assets: a shift. Approving asks for the passphrase each time.
SHIFT = 8 * 3600.0


class SignerOfPage:
    """The key of the page's reader.

    A key that was unlocked stays in this process's memory until it is locked, the page is closed or the shift is over. It
    is used for emergency stops alone, so that an unattended screen can stop an asset, and can't set anything.

    Parameters
    ----------
    twin : Any
        With ``signing_names()`` and ``unlock_key(name, passphrase)``.
    user : str
        Who has logged in; "" without a login, where everybody whose key is on this machine may be chosen.
    clock : callable
        Seconds.
    """

    def __init__(self, twin: Any, user: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._twin, self._user, self._clock = twin, user, clock
        self._unlocked: dict[str, tuple[Any, float]] = {}

    def names(self) -> list[str]:
        """Return whose key can sign here."""
        found = list(self._twin.signing_names()) if hasattr(self._twin, "signing_names") else []
        # Names of users are case-folded.
        return [name for name in found if not self._user or _plain(name) == _plain(self._user)]

    def no_key(self) -> str:
        """Return what somebody reads who can't sign here; "" for who can."""
        if self.names():
            return ""
        who = self._user or "NAME"
        folder = getattr(self._twin, "folder", "TWIN")
        return tr(
            "{nobody} has no key on this server, and signs nothing here. It is made with: twinlab keys seal {folder} {who}",
            nobody=self._user or tr("Nobody"),
            folder=folder,
            who=who,
        )

    def signer(self, name: str, passphrase: str) -> Any:
        """Return what signs with somebody's key, for one signature.

        Raises
        ------
        CommandRejectedError
            If the name isn't the reader's, has no key here, or the passphrase is wrong.
        """
        if name not in self.names():
            msg = tr(
                "expected {machine} to sign, got {nobody}",
                machine=self._user or tr("somebody whose key is on this machine"),
                nobody=name or "nobody",
            )
            raise CommandRejectedError(msg)
        return self._twin.unlock_key(name, passphrase)

    def unlock(self, name: str, passphrase: str) -> None:
        """Unlock a key for emergency stops.

        Raises
        ------
        CommandRejectedError
            As `signer`.
        """
        self._unlocked[name] = (self.signer(name, passphrase), self._clock() + SHIFT)

    def unlocked(self, name: str) -> Any | None:
        """Return the unlocked signer of a name; None if there is none, or its shift is over."""
        found = self._unlocked.get(name)
        if found is not None and self._clock() >= found[1]:
            self._unlocked.pop(name)
            return None
        return None if found is None else found[0]

    def lock(self) -> None:
        """Forget all keys."""
        self._unlocked.clear()


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()
