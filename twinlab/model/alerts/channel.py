"""Channels: how people are notified. A channel's kind is built in (log, file, smtp, webhook) or added by a package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, ValidationError, model_validator

from twinlab.model.basics import Model
from twinlab.model.extensions.options import Options, checked_options, fault, located
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

__all__ = ["Channel", "ChannelKind", "Message"]


@dataclass(frozen=True)
class Message:
    """What is sent: a line, some lines of text, and the same as plain data."""

    subject: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    """What JSON can represent."""


@dataclass(frozen=True)
class ChannelKind:
    """A kind of channel: the key of a channel in ``twin.yaml``, with its options as the value.

    Parameters
    ----------
    name : str
        The key in ``twin.yaml``, and what the entry point is called.
    send : callable
        ``send(options, message, folder) -> None``: returns when the message was taken over, or raises
        `twinlab.errors.SourceError` that says what to do. ``folder`` is the twin's. It may be called again with a message that
        was taken over before.
    options : type of Options
    """

    name: str
    send: Callable[[Any, Message, Path], None]
    options: type[Options] = Options

    def parse(self, given: object) -> Options:
        """Return the options as their class validates them.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(self.options, given, what=f"a channel of the kind {self.name!r}", place=(self.name,))


class Channel(Model):
    """How people are notified: exactly one kind with its options, ``{smtp: {host: mail.example.org, to: [ann@example.org]}}``."""

    # The keys are the kinds, which `_one_kind` knows.
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        known: Registry[ChannelKind] = registry_of("twinlab.channels")
        if len(data) != 1:
            msg = f"a channel needs exactly one of {', '.join(known.names())}, got {' and '.join(map(str, data)) or 'none'}"
            raise ValueError(msg)
        faults: list[InitErrorDetails] = []
        for key, given in data.items():
            if key not in known:
                problem = ValueError(f"unknown kind of channel {key!r}{nearest(str(key), known.names())}")
                faults.append(fault((key,), problem, given))
                continue
            try:
                known.get(key).parse(given)
            except ValidationError as error:
                faults += [fault(found["loc"], found["ctx"]["error"], found["input"]) for found in error.errors()]
        if faults:
            raise located(faults)
        return data

    @property
    def kind(self) -> str:
        """The kind of the channel."""
        return next(iter(self.model_extra or {}))

    @property
    def options(self) -> Options:
        """The options of its kind."""
        kind: ChannelKind = registry_of("twinlab.channels").get(self.kind)
        return kind.parse((self.model_extra or {})[self.kind])
