"""Open a twin for a purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twinlab.model.privacy.policy import Policy
from twinlab.model.privacy.purpose_reader import PurposeReader
from twinlab.twin.privacy.keys import key_folder
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit

if TYPE_CHECKING:
    from twinlab.explore import Workspace
    from twinlab.model.privacy.classes import Sensitivity

__all__ = ["PurposeTwin", "for_purpose"]


class PurposeTwin(PurposeReader):
    """A twin that was opened for a purpose: it is read, and explored, through what the purpose shows."""

    def explore(self, *, page: str = "history") -> Workspace:
        """Return the explorer of what the purpose shows."""
        from twinlab.explore import Workspace  # noqa: PLC0415  (Panel loads only when looked at)

        return Workspace(self, page=page)


def for_purpose(
    twin: WholeTwin,
    purpose: str,
    *,
    who: str = "local",
    highest: Sensitivity = "sensitive",
    record: Callable[[dict[str, object]], object] | None = None,
) -> PurposeTwin:
    """Return a reader of a twin for one of its purposes.

    Parameters
    ----------
    twin : Twin
    purpose : str
        A key of ``purposes:`` in ``twin.yaml``.
    who : str
        Who reads, for the record.
    highest : str
        Fields of a higher class aren't shown: the limit of a role.
    record : callable, optional
        Gets an entry for each read of personal data; by default it is a row of the twin's audit.

    Raises
    ------
    UnknownTermError
        If the twin has no such purpose.
    """
    policy = Policy(twin.model, purpose, highest=highest)
    write = PrivacyAudit(twin.folder).append if record is None else record
    keys = key_folder(twin.folder, twin.model)

    def name_of(purpose: str, epoch: int, name: str) -> str:
        found: str = keys.pseudonyms()(purpose, epoch, name)
        return found

    def note(what: dict[str, object]) -> None:
        write({"kind": "read", "who": [who], "what": what})

    return PurposeTwin(twin, policy, name_of, note)
