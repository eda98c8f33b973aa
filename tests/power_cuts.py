"""Power cuts on a real ext4: an image on a loop device, whose file system is stopped while it is dirty.

`Disk.cut` stops ext4 as ``xfstests`` does (EXT4_IOC_SHUTDOWN without a flush): what has reached the device stays, what was only in memory
is lost, and every later write fails. `Disk.plug_in` mounts a copy of the image, as after a restart. Before the cut, the kernel may have
written any of the dirty files by itself: `Disk.cut` does that with some of them, chosen at random.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.conftest import find_program

__all__ = ["Disk", "need_disk"]

#: _IOR('X', 125, u32), and its argument that flushes neither data nor journal.
_SHUTDOWN, _NO_FLUSH = 0x8004587D, struct.pack("I", 2)
#: Mounted with the options of a stock system, and with those that help a program least.
_OPTIONS = ("", "noauto_da_alloc,data=writeback,commit=1")
_MEGABYTE = 1 << 20


def need_disk() -> None:
    """Skip the test where no image can be mounted: that needs Linux, root and a loop device, which a container rarely has."""
    if (
        not hasattr(os, "geteuid")
        or os.geteuid() != 0
        or find_program("mkfs.ext4") is None
        or not Path("/dev/loop-control").exists()
    ):
        pytest.skip(
            "mounting a disk image needs root, a loop device and mkfs.ext4; tests/simulated_cuts.py needs neither"
        )


def _stop_filesystem(mounted: Path) -> None:
    """Cut the power of a mounted ext4."""
    import fcntl  # Windows has none

    folder = os.open(mounted, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, _SHUTDOWN, _NO_FLUSH)
    finally:
        os.close(folder)


def _write_back(folder: Path, chance: random.Random) -> None:
    """Write some of the files below a folder to the device, as the kernel may do at any time in any order."""
    share = chance.choice((0.0, 0.0, 0.2, 0.6))
    for parent, _, names in os.walk(folder):
        for name in names:
            if chance.random() < share:
                with suppress(OSError):
                    descriptor = os.open(os.path.join(parent, name), os.O_RDONLY)  # noqa: PTH118
                    try:
                        os.fsync(descriptor)
                    finally:
                        os.close(descriptor)


class Disk:
    """An ext4 in a file, mounted until the end of the ``with`` block.

    Parameters
    ----------
    folder : Path
        Folder of image and mount point.
    megabytes : int
        Size of the file system.
    """

    def __init__(self, folder: Path, *, megabytes: int = 192) -> None:
        self._image, self.path = folder / "disk.img", folder / "disk"
        self.path.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(megabytes * _MEGABYTE)
        subprocess.run(
            ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self._image)], check=True
        )
        self.cuts = 0
        self.arguments: tuple[str, ...] = ()
        """For a historian that writes to it."""
        self._mount()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A test that failed may have files open.
        subprocess.run(["umount", "--lazy", str(self.path)], check=False)
        self._image.unlink()

    def sync(self) -> None:
        """Write everything to the device."""
        subprocess.run(["sync", "-f", str(self.path)], check=True)

    def cut(self, chance: random.Random) -> None:
        """Cut the power, after the kernel has written some of the files by itself."""
        _write_back(self.path, chance)
        _stop_filesystem(self.path)

    def plug_in(self) -> None:
        """Mount a copy of the image of a disk whose power was cut; no process may have a file open."""
        copy = self._image.with_suffix(".copy")
        subprocess.run(["cp", "--sparse=always", str(self._image), str(copy)], check=True)
        self._unmount()
        shutil.move(copy, self._image)
        self.cuts += 1
        self._mount()

    def _mount(self) -> None:
        options = ",".join(filter(None, ("loop", _OPTIONS[self.cuts % 2])))
        done = subprocess.run(
            ["mount", "-o", options, str(self._image), str(self.path)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            self._image.unlink()
            pytest.skip(f"this machine doesn't let a disk image be mounted ({done.stderr.strip()})")

    def _unmount(self) -> None:
        until = time.monotonic() + 30
        while (
            done := subprocess.run(["umount", str(self.path)], capture_output=True, text=True, check=False)
        ).returncode:
            if time.monotonic() > until:
                raise OSError(errno.EBUSY, done.stderr)
            time.sleep(0.05)
