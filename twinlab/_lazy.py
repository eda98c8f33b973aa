"""Load a package's public names on first use (PEP 562), so that ``import twinlab`` is fast."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package whose public names are defined in submodules.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    names : mapping of str to str
        Public name -> submodule that defines it (relative, ``"csv"`` or ``"a.b"``). A name that equals its submodule's
        name with a leading ``":"`` (``{"units": ":units"}``) is the submodule itself.
    """

    def load(name: str) -> Any:  # noqa: ANN401  (any public name)
        target = names.get(name)
        if target is None:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        if target.startswith(":"):
            return importlib.import_module(f"{package}.{target[1:]}")
        return getattr(importlib.import_module(f"{package}.{target}"), name)

    def listing() -> list[str]:
        return sorted(names)

    return load, listing
