"""What can be asked of a policy, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinlab.model.privacy.classes import Sensitivity

__all__ = ["Decision", "Question", "ReadAsset", "ReadField", "SeePage", "SendCommand"]


@dataclass(frozen=True)
class SeePage:
    """The question whether somebody may see a page."""

    page: str
    # Roles that the page itself states, for roles whose pages the policy doesn't list.
    stated: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadAsset:
    """The question whether somebody may see an asset."""

    asset_type: str
    asset: str
    # Values of the asset's properties.
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadField:
    """The question whether somebody may read a signal, a property, or a field of an event."""

    # The asset type or event type, and the field's name.
    owner: str
    name: str
    sensitivity: Sensitivity = "internal"
    # Purposes that the model states for the field; None: it states none.
    purposes: tuple[str, ...] | None = None
    # Purpose of the reader; None: none was stated.
    purpose: str | None = None
    # Asset whose field it is; None: a field of a type, without regard to an asset.
    asset: ReadAsset | None = None


@dataclass(frozen=True)
class SendCommand:
    """The question whether somebody may send a command."""

    parameter: str
    asset: ReadAsset


Question = SeePage | ReadAsset | ReadField | SendCommand


@dataclass(frozen=True)
class Decision:
    """The answer to a question."""

    allowed: bool
    # One sentence for the person who was refused; "" if allowed.
    reason: str = ""

    def __bool__(self) -> bool:
        """Whether it is allowed."""
        return self.allowed
