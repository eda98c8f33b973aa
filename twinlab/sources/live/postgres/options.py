"""The options of the kind `postgres`, checked without the client library."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinlab.model.basics import Duration
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.secrets import PlainUrl, Secret

__all__ = ["PostgresOptions"]


class PostgresOptions(Options):
    """Options of a PostgreSQL database whose changes are decoded."""

    url: Annotated[PlainUrl, Field(pattern=r"^postgres(ql)?(\+psycopg)?://")]
    """Address, ``postgresql://reader@erp.example.org/erp``. The user needs REPLICATION, and SELECT on the tables."""
    password: Secret | None = None
    """Where the password is: ``${ERP_PASSWORD}`` or ``file:/run/secrets/erp``."""
    publication: str = "twinlab"
    """Publication of the tables; each needs REPLICA IDENTITY FULL."""
    slot: str = "twinlab"
    """Replication slot with the plugin pgoutput, which nobody else reads."""
    copy_tables: bool = True
    """Whether rows that a table has already are copied first, each table once."""
    every: Duration = "1s"
    """Time from one poll to the next. The database has one connection, and one query at a time."""
    rows: Annotated[int, Field(ge=1, le=50_000)] = 5_000
    """Rows of a batch, at most."""
    changes: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """Changes of a poll, at most; the transaction in which the limit is reached is read to its end."""
    warn_mib: Annotated[int, Field(ge=1)] = 1_024
    """More log that the server keeps for the slot, in MiB, is reported as an error of the source: it fills the server's disk."""
