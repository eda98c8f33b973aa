"""Models, predictions and scenarios of a twin in a store: fetched when they are first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from twinlab._locks import Lock
from twinlab.objects.waiting import side_by_side
from twinlab.twin.facade import Twin
from twinlab.twin.remote.derived import list_name, listed_files
from twinlab.twin.remote.pull import fetch_file, fetch_piece
from twinlab.twin.remote.refused import CATALOGUES, refusing

if TYPE_CHECKING:
    from twinlab.objects.bucket import Bucket
    from twinlab.twin.predict.models import TwinModels
    from twinlab.twin.predict.stored import TwinPredictions
    from twinlab.twin.remote.head import Head, Pieces
    from twinlab.twin.simulation.catalogue import TwinCatalogue

__all__ = ["StoredFolders"]


class StoredFolders(Twin):
    """A twin whose stored models, predictions and scenarios are in an object store."""

    folder: Path
    bucket: Bucket

    if TYPE_CHECKING:

        @property
        def head(self) -> Head:
            """The push that is shown."""

        def _refuse(self) -> NoReturn: ...

    @property
    def models(self) -> TwinModels:
        """Fitted models, as they were pushed, for reading; see `Twin.models`."""
        self._fetch_folder("models")
        return refusing(super().models, CATALOGUES["models"], self._refuse)

    @property
    def predictions(self) -> TwinPredictions:
        """Stored predictions, as they were pushed, for reading; see `Twin.predictions`."""
        self._fetch_folder("predictions")
        return refusing(super().predictions, CATALOGUES["predictions"], self._refuse)

    @property
    def scenarios(self) -> TwinCatalogue:
        """Stored runs, as they were pushed, for reading; see `Twin.scenarios`."""
        self._fetch_folder("scenarios")
        return refusing(super().scenarios, CATALOGUES["scenarios"], self._refuse)

    def _fetch_folder(self, name: str) -> None:
        """Fetch the files of a folder, which are in the twin's folder from then on."""
        pieces = self.head.files.get(list_name(name))
        done = self.folder / f".fetched-{name}"
        if pieces is None or done.exists():
            return
        with Lock(self.folder / f".fetch-{name}.lock", what=f"fetching {name}", wait=None, named=False):
            if done.exists():
                return
            data = b"".join(fetch_piece(self.bucket, size, sha) for size, sha in pieces)
            side_by_side(self._fetch_file, listed_files(data, name, self.bucket.address.url).items())
            done.touch()

    def _fetch_file(self, file: tuple[str, Pieces]) -> None:
        path, pieces = file
        fetch_file(self.bucket, self.folder / path, pieces)
