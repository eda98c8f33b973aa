"""A kind of live source: what ``live: {kind: …}`` of a mapping names, with its options."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twinlab.errors import SourceError
from twinlab.model.extensions.options import Options, checked_options

__all__ = ["LiveKind"]


@dataclass(frozen=True)
class LiveKind:
    """A kind of live source.

    Parameters
    ----------
    name : str
        The value of ``kind`` in the mapping, and what the entry point is called.
    open : callable
        ``open(options, context) -> LiveSource`` with a `twinlab.sources.live.LiveContext`; connects to nothing yet.
    options : type of Options
        The other keys of ``live``.
    needs : tuple of str
        Modules of the client library. The module with the kind itself must import without them.
    extra : str
        The extra of twinlab that installs them, for the error if they are missing.
    ends : bool
        Whether its sources end by themselves with ``once`` of their context, after all that is there.
    """

    name: str
    open: Callable[[Any, Any], Any]
    options: type[Options] = Options
    needs: tuple[str, ...] = ()
    extra: str = ""
    ends: bool = False

    def parse(self, given: object) -> Options:
        """Return the options as their class validates them.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(self.options, given, what=f"a live source of the kind {self.name!r}", place=())

    def check_installed(self) -> None:
        """Check that the client library is installed.

        Raises
        ------
        SourceError
            If it isn't; names the extra that installs it.
        """
        missing = [name for name in self.needs if importlib.util.find_spec(name) is None]
        if missing:
            msg = (
                f"a live source of the kind {self.name!r} needs {', '.join(missing)}, which isn't installed: "
                f'pip install "twinlab-kit[{self.extra}]"'
            )
            raise SourceError(msg)
