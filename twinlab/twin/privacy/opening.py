"""Open a twin for a purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twinlab.model.privacy.policy import Policy
from twinlab.model.privacy.purpose_reader import PurposeReader
from twinlab.model.reader import DelegatingReader, TwinReader
from twinlab.twin.privacy.keys import key_folder
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit, recorded

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.explore import Workspace
    from twinlab.model.privacy.classes import Sensitivity

__all__ = ["PurposeTwin", "for_purpose"]


class PurposeTwin(PurposeReader):
    """A twin that was opened for a purpose: it is read, and explored, through what the purpose shows."""

    def explore(self, *, page: str = "history") -> Workspace:
        """Return the explorer of what the purpose shows."""
        from twinlab.explore import Workspace  # noqa: PLC0415  (Panel loads only when looked at)

        return Workspace(self, page=page)


class _Recorded(DelegatingReader):
    """A whole twin whose reads are recorded by the reader for a purpose before it asks."""

    def __init__(self, twin: TwinReader) -> None:
        self._twin = twin

    @property
    def _source(self) -> TwinReader:
        return self._twin

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type."""
        with recorded():
            return super().history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type."""
        with recorded():
            return super().events(event_type, start=start, stop=stop, assets=assets)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type."""
        with recorded():
            return super().assets(asset_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type."""
        with recorded():
            return super().relationships(relationship)


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

    return PurposeTwin(_Recorded(twin), policy, name_of, note)
