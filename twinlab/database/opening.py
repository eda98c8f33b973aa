"""Open the database that ``storage.catalogues`` names; SQLAlchemy is loaded only then."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError, SourceError
from twinlab.model.extensions.secrets import secret_of

if TYPE_CHECKING:
    from twinlab.database.connection import SharedDatabase
    from twinlab.model.storage.catalogues import CatalogueStore

__all__ = ["open_database"]

_WHAT = "storage.catalogues"


def open_database(settings: CatalogueStore, *, folder: Path, twin: str) -> SharedDatabase:
    """Return the database of a twin's catalogues; nothing is connected yet.

    Parameters
    ----------
    settings : CatalogueStore
    folder : Path
        The twin's folder, where relative paths of SQLite begin.
    twin : str
        The twin's name, which names its schema in PostgreSQL.

    Raises
    ------
    SourceError
        If the extra ``postgres`` isn't installed, or a secret or an address isn't there.
    SchemaError
        If the address isn't one.
    """
    try:
        import sqlalchemy as sa  # noqa: PLC0415  (a twin without a database needs none)

        from twinlab.database.connection import SharedDatabase  # noqa: PLC0415  (the same)
    except ImportError as error:
        raise _missing(error) from error
    named = settings.url.startswith("${")
    text = secret_of(settings.url, _WHAT) if named else settings.url
    try:
        address = sa.make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text))
    except sa.exc.ArgumentError as error:
        # The text isn't shown: it may have a password.
        msg = f"{_WHAT}: expected an address such as postgresql+psycopg://user@host/database in {settings.url}"
        raise SchemaError(msg) from error
    if settings.password is not None:
        address = address.set(password=secret_of(settings.password, _WHAT))
    if address.get_backend_name() not in ("postgresql", "sqlite"):
        msg = f"{_WHAT}: expected PostgreSQL or SQLite, got {address.get_backend_name()}; correct {settings.url}"
        raise SchemaError(msg)
    if address.get_backend_name() == "sqlite":
        address = address.set(database=str(folder / (address.database or "catalogues.db")))
    try:
        return SharedDatabase(address, schema=f"twinlab_{twin}")
    except ImportError as error:
        raise _missing(error) from error


def _missing(error: ImportError) -> SourceError:
    return SourceError(f'{_WHAT} needs SQLAlchemy and psycopg ({error}): pip install "twinlab-kit[postgres]"')
