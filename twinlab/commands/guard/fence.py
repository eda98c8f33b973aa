"""Which of two guards may act: an actuator refuses the older one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twinlab._files import sync_file, sync_folder, write_atomically
from twinlab._locks import Lock
from twinlab.errors import CommandRejectedError, ControlError, TwinlabError

__all__ = ["Fence"]


class Fence:
    """The newest epoch of an actuator, in a file: for `Actuator.take_over` and `Actuator.apply`.

    Parameters
    ----------
    path : Path
        The file; made by the first `advance`. A file ``<name>.lock`` is beside it.
    wait : float
        Seconds to wait for an action that another process has begun.

    Examples
    --------
    >>> import tempfile
    >>> fence = Fence(Path(tempfile.mkdtemp()) / "epoch")
    >>> old, new = fence.advance(), fence.advance()
    >>> with fence.acting(old):
    ...     pass
    Traceback (most recent call last):
        ...
    twinlab.errors.CommandRejectedError: guard: expected the epoch 2, got 1: another guard has taken over; stop this one
    """

    def __init__(self, path: Path, *, wait: float = 5.0) -> None:
        self._path = Path(path)
        self._wait = wait

    def advance(self) -> int:
        """Return the next epoch, which is on the disk then; older ones are refused from now on.

        Raises
        ------
        ControlError
            If the file can't be read or written.
        """
        with self._locked():
            epoch = self._read() + 1
            try:
                write_atomically(self._path, lambda draft: _write(draft, epoch))
                sync_folder(self._path.parent)
            except (OSError, TwinlabError) as error:
                msg = f"{self._path}: the epoch can't be written: {error}; no guard can take over until it can"
                raise ControlError(msg) from error
        return epoch

    def newest(self) -> int:
        """Return the newest epoch; 0 before the first.

        Raises
        ------
        ControlError
            If the file can't be locked or read.
        """
        with self._locked():
            return self._read()

    @contextmanager
    def acting(self, epoch: int) -> Iterator[None]:
        """Allow an action of a guard; no other guard takes over meanwhile.

        Raises
        ------
        CommandRejectedError
            If the epoch isn't the newest one, or the file can't be locked or read. Nothing was done then.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(self._locked())
                newest = self._read()
            except ControlError as error:
                raise CommandRejectedError(str(error)) from error
            if epoch != newest:
                msg = f"guard: expected the epoch {newest}, got {epoch}: another guard has taken over; stop this one"
                raise CommandRejectedError(msg)
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            # For the time of one action: to name the holder takes longer than most.
            lock = Lock(
                self._path.with_name(f"{self._path.name}.lock"), what=f"the epoch {self._path}", wait=self._wait, named=False
            )  # fmt: skip
        except (OSError, TwinlabError) as error:
            msg = f"{self._path}: the epoch can't be locked: {error}"
            raise ControlError(msg) from error
        with lock:
            yield

    def _read(self) -> int:
        try:
            return int(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            msg = f"{self._path}: expected a number, got: {error}; restore the file, or make one with a higher epoch"
            raise ControlError(msg) from error


def _write(draft: Path, epoch: int) -> None:
    draft.write_text(f"{epoch}\n", encoding="ascii")
    sync_file(draft)
