"""Registries: named things of one kind, built in or added by other packages through entry points.

A registry names each built-in thing by ``"module:object"`` and imports it on first use. Other packages add theirs with
an entry point in their ``pyproject.toml``; nothing in twinlab changes::

    [project.entry-points."twinlab.quality"]
    stuck_at_zero = "my_package.quality:STUCK_AT_ZERO"

A further kind of thing needs a `Registry`, a line in `_REGISTRIES`, and a conformance check in `twinlab.testing`.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["Registry", "registry_of"]

T = TypeVar("T")

#: Group -> where its registry is. By name, because what a registry contains belongs to rooms above this one.
_REGISTRIES = {
    "twinlab.carriers": "twinlab.control.carriers.registry:CARRIER_KINDS",
    "twinlab.changes": "twinlab.simulate.scenarios.registry:CHANGE_KINDS",
    "twinlab.channels": "twinlab.control.delivery.channels:CHANNEL_KINDS",
    "twinlab.intrusions": "twinlab.events.intrusion.registry:INTRUSION_RULES",
    "twinlab.kpis": "twinlab.events.kpis.registry:KPI_KINDS",
    "twinlab.live": "twinlab.sources.live.registry:LIVE_KINDS",
    "twinlab.model_formats": "twinlab.predict.models.format:MODEL_FORMATS",
    "twinlab.models": "twinlab.simulate.registry:MODELS",
    "twinlab.pages": "twinlab.explore.page_registry:PAGES",
    "twinlab.predictors": "twinlab.predict.protocol.registry:PREDICTORS",
    "twinlab.quality": "twinlab.quality.registry:QUALITY_TESTS",
    "twinlab.rules": "twinlab.events.rules.registry:RULE_KINDS",
    "twinlab.sources": "twinlab.sources.registry:FILE_FORMATS",
}


class Registry(Generic[T]):
    """Named things of one kind, in order: the built-in ones first, then those of other packages by name.

    Parameters
    ----------
    group : str
        The entry-point group, such as ``"twinlab.quality"``.
    kind : str
        What one entry is called in error messages, such as ``"quality test"``.
    built_in : mapping of str to str
        Name -> ``"module:object"``.
    check : callable, optional
        Called with an entry's name and the loaded object; returns a sentence that says what is wrong, or ``""``.

    Examples
    --------
    >>> registry = Registry("twinlab.examples", kind="example", built_in={"sqrt": "math:sqrt"})
    >>> registry.names()
    ['sqrt']
    >>> registry.get("sqrt")(9.0)
    3.0
    """

    def __init__(
        self, group: str, *, kind: str, built_in: Mapping[str, str], check: Callable[[str, object], str] | None = None
    ) -> None:
        self.group = group
        self.kind = kind
        self._built_in = dict(built_in)
        self._check = check
        self._loaded: dict[str, T] = {}
        self._added: dict[str, EntryPoint] | None = None

    def names(self) -> list[str]:
        """Return the names of all entries; loads none of them."""
        return [*self._built_in, *self.added()]

    def built_in(self) -> list[str]:
        """Return the names of twinlab's own entries; loads none of them."""
        return list(self._built_in)

    def added(self) -> list[str]:
        """Return the names that other packages add; loads none of them."""
        return sorted(self._entry_points())

    def get(self, name: str) -> T:
        """Return one entry.

        Raises
        ------
        UnknownTermError
            If no entry has the name; shows the nearest one.
        SchemaError
            If the entry can't be imported or is of the wrong kind; names the package that it comes from.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield name and entry of each, in the order of `names`."""
        for name in self.names():
            yield name, self.get(name)

    def origin(self, name: str) -> str:
        """Return where an entry comes from, for messages: ``"twinlab"`` or ``"the package 'my-package'"``."""
        entry = None if name in self._built_in else self._entry_points().get(name)
        return "twinlab" if entry is None else _package(entry)

    def usable(self) -> Iterator[T]:
        """Yield the entries of other packages; those that can't be loaded are left out with a warning that says why."""
        try:
            names = self.added()
        except SchemaError as error:
            warnings.warn(str(error), stacklevel=2)
            return
        for name in names:
            try:
                yield self.get(name)
            except SchemaError as error:
                warnings.warn(str(error), stacklevel=2)

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._entry_points()

    def refresh(self) -> None:
        """Look for entry points again, for packages that were installed since."""
        self._added = None
        self._loaded.clear()

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._added is None:
            found: dict[str, EntryPoint] = {}
            for entry in entry_points(group=self.group):
                other = found.get(entry.name)
                if entry.name in self._built_in or (other is not None and other.value != entry.value):
                    taken = f"{_package(other)}" if other is not None else "twinlab"
                    msg = (
                        f"{_package(entry)} adds the {self.kind} {entry.name!r}, a name that {taken} has already; "
                        f"give it another name in its entry point (group {self.group!r})"
                    )
                    raise SchemaError(msg)
                found[entry.name] = entry
            self._added = found
        return self._added

    def _load(self, name: str) -> T:
        if name in self._built_in:
            module, _, attribute = self._built_in[name].partition(":")
            loaded: T = getattr(importlib.import_module(module), attribute)
            return loaded
        entry = self._entry_points().get(name)
        if entry is None:
            msg = f"expected a known {self.kind}, got {name!r}{nearest(name, self.names())}"
            raise UnknownTermError(msg)
        try:
            found = entry.load()
        except Exception as error:
            msg = (
                f"the {self.kind} {name!r} of {_package(entry)} can't be imported from {entry.value!r}: "
                f"{type(error).__name__}: {error}; repair or uninstall that package"
            )
            raise SchemaError(msg) from error
        fault = "" if self._check is None else self._check(name, found)
        if fault:
            msg = f"the {self.kind} {name!r} of {_package(entry)} ({entry.value!r}) doesn't fit: {fault}"
            raise SchemaError(msg)
        return found  # type: ignore[no-any-return]


def _package(entry: EntryPoint) -> str:
    return f"the package {entry.dist.name!r}" if entry.dist is not None else "a package"


def registry_of(group: str) -> Registry[Any]:
    """Return the registry of an entry-point group.

    Raises
    ------
    UnknownTermError
        If twinlab has no registry of that group.

    >>> "flat_line" in registry_of("twinlab.quality")
    True
    """
    if group not in _REGISTRIES:
        msg = f"expected a group of entry points, got {group!r}{nearest(group, _REGISTRIES)}"
        raise UnknownTermError(msg)
    module, _, attribute = _REGISTRIES[group].partition(":")
    found: Registry[Any] = getattr(importlib.import_module(module), attribute)
    return found
