"""The options of the kind `kafka`, checked without the client library."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from twinlab.model.basics import Duration
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.secrets import Secret

__all__ = ["Added", "KafkaOptions", "Login", "TopicRule"]

_OWN_MACHINE = {"127.0.0.1", "[::1]", "localhost"}
_ADDRESS = r"^([\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$"
#: What a message has beside its value.
Added = Literal["key", "timestamp", "timestamp_type", "partition", "offset", "headers"]


class TopicRule(Options):
    """How the messages of a topic are read."""

    format: Literal["json", "csv", "number", "text"] = "json"
    """`json`: an object, a list of objects, or an object a line; nested ones have columns such as ``vehicle.id``. `csv`: lines of cells.
    `number`, `text`: one value, in the column `value`."""
    columns: list[str] | None = None
    """With `csv`: names of the columns; without them the first line of each message has the names."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """With `csv`: one character between cells."""
    table: str | None = None
    """Name of the table for the mapping; the topic's name by default."""
    key: Annotated[list[str], Field(min_length=1)] | None = None
    """Columns that a message's key is read into: one is the whole key, more are those of a JSON object. A message without a value (a
    tombstone) withdraws the event, asset or link with its key then; otherwise it is only counted."""
    partitions: list[Annotated[int, Field(ge=0)]] | None = None
    """Partitions that are read; all by default, also those that are added later."""
    start: str = "earliest"
    """Where a topic that was never read begins: `earliest`, `latest`, or a time in ISO format of the messages' timestamps (UTC where it
    has no zone)."""

    @field_validator("start")
    @classmethod
    def _start_is_known(cls, given: str) -> str:
        if given not in {"earliest", "latest"}:
            try:
                datetime.fromisoformat(given)
            except ValueError:
                msg = f"expected earliest, latest or a time such as 2026-03-01T00:00Z, got {given!r}"
                raise ValueError(msg) from None
        return given

    @model_validator(mode="after")
    def _csv_alone(self) -> Self:
        unused = [name for name in ("columns", "delimiter") if name in self.model_fields_set and self.format != "csv"]
        if unused:
            msg = f"the key {unused[0]!r} is not used: it belongs to the format csv, and this one is {self.format}"
            raise ValueError(msg)
        return self

    @property
    def start_ms(self) -> int | None:
        """The time of `start`, milliseconds since 1970; None for the other ways."""
        if self.start in {"earliest", "latest"}:
            return None
        at = datetime.fromisoformat(self.start)
        return round((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)


class Login(Options):
    """User and password, as SASL sends them."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the broker checks the password."""
    user: str
    """User name."""
    password: Secret
    """Where the password is: ``${KAFKA_PASSWORD}`` or ``file:/run/secrets/kafka``."""


def _named(given: object) -> object:
    """Return topics that are listed by name as a mapping to their defaults."""
    return {name: {} for name in given} if isinstance(given, list) and all(isinstance(n, str) for n in given) else given


class KafkaOptions(Options):
    """Options of a live source ``kafka``."""

    servers: Annotated[list[Annotated[str, Field(pattern=_ADDRESS)]], Field(min_length=1)]
    """Addresses of some brokers, ``[kafka-1:9093, kafka-2:9093]``; the others become known from them."""
    topics: Annotated[Mapping[str, TopicRule], BeforeValidator(_named), Field(min_length=1)]
    """Topic -> how its messages are read; a list of names for JSON."""
    add: tuple[Added, ...] = ("key", "timestamp", "partition", "offset", "headers")
    """What is stored with each row, in columns such as ``kafka.key`` and ``kafka.header.unit``; ``kafka.timestamp`` is in milliseconds
    since 1970 (`epoch_ms`)."""
    tls: bool = False
    """Whether the connection is encrypted, and the broker's certificate checked."""
    ca: str | None = None
    """With `tls`: file (.pem) with the certificates of authorities to trust; the system's by default."""
    certificate: str | None = None
    """With `tls`: file with this client's certificate, for brokers that ask for one."""
    private_key: str | None = None
    """File with the key of the certificate."""
    key_password: Secret | None = None
    """Password of the key, if it has one."""
    login: Login | None = None
    """User and password, for brokers that ask for them."""
    client: str = "twinlab"
    """Name of this client in the broker's logs and quotas."""
    group: str | None = None
    """Consumer group that durable offsets are also committed to, so that Kafka's own tools show how far this reader is. They are never
    read: the next offsets are in the ledger."""
    rows: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    """Messages of a batch, at most."""
    gather: Duration = "50ms"
    """Messages of so long a time are one batch."""
    look_every: Duration = "5s"
    """How often the broker is asked for new partitions and for the ends of those that are read."""
    timeout: Duration = "10s"
    """How long connecting and an answer may take."""

    @model_validator(mode="after")
    def _safe(self) -> Self:
        away = [one for one in self.servers if one.rpartition(":")[0] not in _OWN_MACHINE]
        if self.login is not None and not self.tls and away:
            msg = f"expected `tls: true`: a password that is sent to {away[0]} can be read on the way"
            raise ValueError(msg)
        if (self.certificate is None) != (self.private_key is None):
            msg = "expected certificate and private_key, or neither"
            raise ValueError(msg)
        unused = [name for name in ("ca", "certificate", "key_password") if getattr(self, name) is not None]
        if unused and not self.tls:
            msg = f"the key {unused[0]!r} is not used without `tls: true`"
            raise ValueError(msg)
        tables = [rule.table or topic for topic, rule in self.topics.items()]
        twice = next((name for name in tables if tables.count(name) > 1), None)
        if twice is not None:
            msg = f"expected a table for each topic, got {twice!r} for several: state another `table`"
            raise ValueError(msg)
        return self
