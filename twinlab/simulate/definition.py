"""Base of the parts of a network and of its changes, which are stated in YAML or built in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from twinlab.model.basics import Model
from twinlab.model.load import refusal

__all__ = ["Definition"]


class Definition(Model):
    """A frozen part that, built in Python, refuses faults with the errors and paths of a file.

    Raises
    ------
    SchemaError
        With a line for each fault: class, path, what was expected and what was found. A UnitError if all faults are units,
        an UnknownTermError if all are names that don't exist.

    >>> from twinlab.simulate.network import Node
    >>> Node(type="hub", buffer=-1)
    Traceback (most recent call last):
    ...
    twinlab.errors.SchemaError: Node: buffer: expected greater than or equal to 0, got -1
    """

    # Type checkers use the fields that each class declares.
    if not TYPE_CHECKING:

        def __init__(self, /, **data: Any) -> None:  # noqa: ANN401  (checked by pydantic)
            try:
                super().__init__(**data)
            except ValidationError as error:
                raise refusal(error, type(self), data) from None

        # As in pydantic's own subclasses of BaseModel: `model_validate` doesn't call it, so that parts of a part keep their paths.
        __init__.__pydantic_base_init__ = True
