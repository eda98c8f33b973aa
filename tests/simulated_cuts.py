"""Power cuts without a disk of one's own: what a process has synced is copied beside it, and a cut leaves that and some of the rest.

`Shadow` runs in the process and copies each file when it is synced, and the names of all files; `SimulatedDisk.cut` makes of them, and of
the folder as the stopped process left it, a state that a power cut may leave: a file that was never synced is whole, cut short, empty or
not there; one that has grown since has a part of what was added; names are those of now or those of the last sync (ext4 writes names in
the order of their changes, and with each sync).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from twinlab.history.store import publish

__all__ = ["Shadow", "SimulatedDisk"]

#: Bytes that a disk writes at once or not at all.
_SECTOR = 512


def _names(folder: Path) -> dict[str, int]:
    """Return the files below a folder, with the number that each keeps when it is renamed."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                found[str(path.relative_to(folder))] = path.stat().st_ino
            except FileNotFoundError:
                continue
    return found


class Shadow:
    """Copies what is synced in a folder to another one, until the process ends."""

    def __init__(self, folder: Path, shadow: Path) -> None:
        self._folder, self._shadow, self._mutex = folder.resolve(), shadow, threading.RLock()
        # Files are kept open: a number isn't given to another file meanwhile.
        self._kept: dict[int, int] = {}

    def follow(self) -> None:
        """Begin with what is in the folder now as synced."""
        self._shadow.mkdir(exist_ok=True)
        self._all()
        inner = {name: getattr(os, name) for name in ("fsync", "fdatasync")}

        def follow_one(name: str) -> None:
            def sync(descriptor: int) -> None:
                inner[name](descriptor)
                path = Path(f"/proc/self/fd/{descriptor}").readlink()
                if path.is_relative_to(self._folder):
                    with self._mutex:
                        if path.is_file():
                            self._copy(path)
                        self._note_names()

            setattr(os, name, sync)

        for name in inner:
            follow_one(name)
        library = publish._c_library()

        class Followed:
            @staticmethod
            def syncfs(descriptor: int) -> int:
                result = int(library.syncfs(descriptor))
                self._all()
                return result

        publish._c_library = Followed  # type: ignore[assignment]

    def _all(self) -> None:
        with self._mutex:
            for name in _names(self._folder):
                self._copy(self._folder / name)
            self._note_names()

    def _copy(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return
        number = os.fstat(descriptor).st_ino
        if number in self._kept:
            os.close(descriptor)
        else:
            self._kept[number] = descriptor
        draft = self._shadow / "draft"
        shutil.copyfile(path, draft)
        draft.replace(self._shadow / str(number))

    def _note_names(self) -> None:
        draft = self._shadow / "draft"
        draft.write_text(json.dumps(_names(self._folder)))
        draft.replace(self._shadow / "names")


class SimulatedDisk:
    """A folder whose power may be cut; used as `tests.power_cuts.Disk` is.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.path, self._left, self._shadow = folder / "disk", folder / "left", folder / "shadow"
        self.path.mkdir(parents=True)
        self.arguments = (str(self._shadow),)
        """For a historian that writes to it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def sync(self) -> None:
        """Do nothing: what is there when a process begins counts as synced."""

    def cut(self, chance: random.Random) -> None:
        """Keep what a power cut would leave of the folder that a stopped process has in the shadow."""
        (site,) = self.path.iterdir()
        now, then = _names(site), json.loads((self._shadow / "names").read_text())
        places = {number: site / name for name, number in now.items()}
        target = self._left / site.name
        # At a cut the kernel has written some of the rest, or nearly all, or nothing.
        share = chance.choice((0.0, 0.3, 0.9))
        for folder in (path for path in site.rglob("*") if path.is_dir()):
            (target / folder.relative_to(site)).mkdir(parents=True, exist_ok=True)
        for name, number in (now if chance.random() < 0.5 else then).items():
            synced = self._shadow / str(number)
            written = places[number].read_bytes() if number in places else None
            known = synced.read_bytes() if synced.exists() else None
            left = _left(known, written, share, chance)
            if left is not None:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(left)

    def plug_in(self) -> None:
        """Put what is left in the place of the folder."""
        shutil.rmtree(self.path)
        self._left.rename(self.path)
        shutil.rmtree(self._shadow)


def _left(known: bytes | None, written: bytes | None, share: float, chance: random.Random) -> bytes | None:
    """Return what is left of a file with these synced bytes and these written ones; None if it isn't there."""
    if written is None or chance.random() < share:
        return written if written is not None else known
    if known is None:
        return chance.choice((None, b"", written[: chance.randrange(len(written) + 1)]))
    if written.startswith(known):
        return written[: chance.randint(len(known), len(written))]
    if len(written) == len(known):
        # Written in place, sector by sector.
        parts = range(0, len(known), _SECTOR)
        return b"".join(chance.choice((known, written))[at : at + _SECTOR] for at in parts)
    return known
