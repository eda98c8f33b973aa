"""``storage.catalogues`` of ``twin.yaml``: a database that several servers of one twin share."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from twinlab.model.basics import Model
from twinlab.model.extensions.secrets import PlainUrl, Secret

__all__ = ["CATALOGUES", "CatalogueName", "CatalogueStore"]

CatalogueName = Literal["journal", "logins", "plans"]
#: What can be in a database instead of files.
CATALOGUES: tuple[CatalogueName, ...] = get_args(CatalogueName)

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_KINDS = ("postgresql+psycopg://", "postgresql://", "sqlite:///")


def _known_database(text: str) -> str:
    if _VARIABLE.fullmatch(text) is None and not text.startswith(_KINDS):
        msg = (
            "expected an address such as postgresql+psycopg://user@host/database or sqlite:///catalogues.db, or the name of an "
            f"environment variable that contains one, such as ${{TWINLAB_CATALOGUES}}, got {text!r}"
        )
        raise ValueError(msg)
    return text


class CatalogueStore(Model):
    """Which catalogues are in a database: ``storage.catalogues`` in ``twin.yaml``. Without it, all are files.

    >>> CatalogueStore.model_validate("postgresql+psycopg://twinlab@db.example.org/plant").of[:2]
    ('journal', 'logins')
    """

    url: Annotated[PlainUrl, AfterValidator(_known_database)]
    """``postgresql+psycopg://user@host/database``, ``sqlite:///catalogues.db`` (in the twin's folder), or ``${NAME}`` of an
    environment variable with such an address."""
    password: Secret | None = None
    """``${NAME}`` of an environment variable, or ``file:/path``; by default what libpq finds: PGPASSWORD, ``~/.pgpass``."""
    of: tuple[CatalogueName, ...] = CATALOGUES
    """Those that are in the database; by default all: journal (with notes, alerts, verdicts, defined KPIs), logins, plans."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add that an address alone is enough."""
        return {"anyOf": [{"type": "string"}, super().__get_pydantic_json_schema__(core_schema, handler)]}

    @model_validator(mode="before")
    @classmethod
    def _one_line(cls, data: object) -> object:
        return {"url": data} if isinstance(data, str) else data
