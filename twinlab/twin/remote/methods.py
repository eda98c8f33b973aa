"""The method of `Twin` that publishes it in an object store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from twinlab.errors import SchemaError
from twinlab.twin.progress import progress_bar

if TYPE_CHECKING:
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.remote.protocol import PushedTwin
    from twinlab.twin.remote.push import PushReport
    from twinlab.twin.remote.store_status import StoreStatus

__all__ = ["RemoteMethods"]


class RemoteMethods:
    """What a twin does with an object store."""

    folder: Path

    if TYPE_CHECKING:

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

        def _catch_up(self) -> object: ...

    def store_status(self) -> StoreStatus | None:
        """Return who may write this twin in its object store, and which rows wait; None of a twin in a folder."""
        return None

    def push(self, url: str | None = None) -> PushReport:
        """Publish this twin in an S3-compatible object store: `twinlab.open` reads it from there, `twinlab.twin.pull` brings it back.

        Only objects that aren't there yet are sent; an interrupted push is continued by the next one. Readers see the twin as the push
        before left it until all of this push is there.

        Parameters
        ----------
        url : str, optional
            ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``; by default ``storage.objects.url`` of ``twin.yaml``.
            Endpoint and region are those of ``storage.objects``, of the environment (``AWS_ENDPOINT_URL``, ``AWS_REGION``;
            ``AZURE_STORAGE_ACCOUNT_NAME``) or of the AWS profile; credentials come by the usual chain of each cloud.

        Returns
        -------
        PushReport
            Numbers of new objects and bytes.

        Raises
        ------
        SourceError
            If the store can't be read or written, or has no conditional writes.
        SchemaError
            If the prefix has other objects, or the twin states purposes or privacy.
        HistoryConflictError
            If another copy of the twin was pushed, or another process pushes.
        """
        from twinlab.objects.address import Address  # noqa: PLC0415  (few twins are pushed)
        from twinlab.twin.remote.push import push  # noqa: PLC0415

        rule = self.model.storage.objects if self.model.storage is not None else None
        chosen = url if url is not None else rule.url if rule is not None else None
        if chosen is None:
            msg = "expected an address such as s3://bucket/prefix, or storage.objects.url in twin.yaml"
            raise SchemaError(msg)
        address = Address.parse(
            chosen,
            endpoint=rule.endpoint if rule is not None else None,
            region=rule.region if rule is not None else None,
        )
        with progress_bar("push", unit="B") as show:
            return push(cast("PushedTwin", self), address, show, self._catch_up)
