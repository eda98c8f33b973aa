"""The tables of one twin. In PostgreSQL they are in a schema of its own, in SQLite in a file of its own."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["ABOUT", "DOCUMENTS", "HEAD", "JOURNAL", "TABLES", "VERSION"]

#: Version of the tables.
VERSION = "1"
TABLES = sa.MetaData()

#: What the tables are: their version, and keys that all servers of the twin need.
ABOUT = sa.Table(
    "about", TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)  # fmt: skip

#: The journal. `hash` is the SHA-256 of the row and of the hash before it; `batch` names the rows of one append.
JOURNAL = sa.Table(
    "journal", TABLES,
    sa.Column("ordinal", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("ingest_time", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("batch", sa.String(32), nullable=False, index=True),
)  # fmt: skip

#: One row: where the journal ends. Whoever appends locks it, so that there is one order.
HEAD = sa.Table(
    "journal_head", TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("ingest_time", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    # Why nothing may be appended any more; "" while it may.
    sa.Column("closed", sa.Text, nullable=False),
)  # fmt: skip

#: Texts with a name, such as plans; each version stays.
DOCUMENTS = sa.Table(
    "documents", TABLES,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    # ns since 1970, UTC
    sa.Column("time", sa.BigInteger, nullable=False),
)  # fmt: skip

sa.Table(
    "logins", TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, index=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)  # fmt: skip
sa.Table(
    "tries", TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last", sa.Double, nullable=False),
)  # fmt: skip
sa.Table(
    "people", TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("sub", sa.Text, nullable=False),
)  # fmt: skip
sa.Table(
    "flows", TABLES,
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("next", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)  # fmt: skip
