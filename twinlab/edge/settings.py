"""Settings of an edge gateway: one YAML file."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, model_validator

from twinlab.edge.aggregation import Deadband, Reducer, State, Windows
from twinlab.edge.pseudonyms.rule import PseudonymRule
from twinlab.errors import SchemaError
from twinlab.model.basics import Duration, Model, parse_duration

__all__ = ["Broker", "GatewaySettings", "Scores", "Stream", "read_settings"]

#: Stream of the tags that no stream names.
OTHER = "other"


class Broker(Model):
    """An MQTT broker, and the certificates of the connection to it."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 8883
    ca: str | None = None
    """File with the certificates of the authorities that the broker's certificate may be signed by; None connects without TLS."""
    certificate: str | None = None
    """File with the client's certificate."""
    key: str | None = None
    """File with its private key."""
    prefix: str = "twinlab"
    """First part of all topics."""
    keepalive: Annotated[int, Field(ge=1, le=3_600)] = 15
    """Seconds without a sign of life after which a connection counts as dead."""


class Stream(Model):
    """Tags whose rows are kept equally long."""

    tags: tuple[str, ...]
    """Patterns such as ``"temp*"``; a tag belongs to the first stream that has a pattern for it."""
    expires: Duration | None = None
    """How long rows are kept that the historian doesn't acknowledge. Without it they never expire by age."""
    deadband: Annotated[float, Field(ge=0)] | None = None
    """Report by exception: only values that differ by more from the last one sent are sent."""
    at_least: Duration | None = None
    """With ``deadband``: a value is sent after so long in any case."""
    window: Duration | None = None
    """Only mean, least and greatest value and number of values of windows of this width are sent, as ``tag/mean`` and so on."""
    grace: Duration = "5s"
    """With ``window``: how long after its end a window is sent at the latest."""
    keep_raw: Duration = "1d"
    """With ``deadband`` or ``window``: how long rows that weren't sent can be requested."""

    @model_validator(mode="after")
    def _one_reduction(self) -> Stream:
        if self.deadband is not None and self.window is not None:
            msg = "expected deadband or window, got both"
            raise ValueError(msg)
        if self.at_least is not None and self.deadband is None:
            msg = "at_least is for streams with a deadband, this one has none"
            raise ValueError(msg)
        return self

    def reducer(self, state: dict[str, State] | None) -> Reducer | None:
        """Return what reduces the rows of the stream, with its earlier state; None if all rows are sent."""
        if self.deadband is not None:
            longest = None if self.at_least is None else parse_duration(self.at_least)
            return Deadband(self.deadband, longest=longest, state=state)
        if self.window is not None:
            return Windows(parse_duration(self.window), grace=parse_duration(self.grace), state=state)
        return None


class Scores(Model):
    """Assets that are scored at the edge: ``<asset>/anomaly`` is sent, 1 at the limit, and ``<asset>/unusual``, 1 or 0."""

    model: str
    """File that `AnomalyModel.export` wrote."""
    assets: Annotated[dict[str, dict[str, str]], Field(min_length=1)]
    """Asset of the model -> signal -> tag."""
    every: Duration
    """Cadence of the rows that the model was trained on."""
    grace: Duration = "5s"
    """How long after the end of a window it is scored at the latest."""


class GatewaySettings(Model):
    """An edge gateway."""

    name: Annotated[str, Field(pattern=r"^[^/+#\x00]+$")]
    """The name in its certificate and its topics."""
    broker: Broker
    signing_key: str | None = None
    """File with the Ed25519 key that every message is signed with (``twinlab keys new``); None signs nothing."""
    historian_keys: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    """Public keys of the historian, of ``reply_key`` of its source: replies and requests that none of them signed are left out. Without one
    all are believed, and whoever can publish replies can have rows removed that nobody has stored."""
    outbox: str = "outbox.db"
    """File of the rows that aren't acknowledged, on a disk of this machine."""
    max_bytes: Annotated[int, Field(ge=1 << 20)] = 1 << 30
    """Size of the outbox above which the oldest rows are dropped; as many bytes again are used for rows that aren't sent."""
    streams: dict[str, Stream] = Field(default_factory=dict)
    scores: tuple[Scores, ...] = ()
    pseudonyms: PseudonymRule | None = None
    """Ids of people in tags and texts, which are replaced before rows are stored and sent."""
    units: dict[str, str] = Field(default_factory=dict)
    """Tag -> unit as the machine declares it."""
    commit_every: Duration = "50ms"
    """Rows of so long a time are stored in one transaction."""
    window: Annotated[int, Field(ge=1_000)] = 20_000
    """Maximum number of rows on their way to the historian."""
    patience: Duration = "2s"
    """Without an acknowledgement for so long, rows on their way are sent again."""

    def stream_of(self, tag: str) -> str:
        """Return the stream of a tag.

        >>> settings = GatewaySettings(name="a", broker={"host": "b"}, streams={"fast": {"tags": ["pos_*"]}})
        >>> settings.stream_of("pos_x"), settings.stream_of("temp")
        ('fast', 'other')
        """
        for name, stream in self.streams.items():
            if any(fnmatchcase(tag, pattern) for pattern in stream.tags):
                return name
        return OTHER

    @property
    def commit_seconds(self) -> float:
        """Rows of so long a time are stored in one transaction."""
        return parse_duration(self.commit_every) / 1e9

    @property
    def patience_seconds(self) -> float:
        """Without an acknowledgement for so long, rows on their way are sent again."""
        return parse_duration(self.patience) / 1e9

    @property
    def expiry(self) -> dict[str, float]:
        """Stream -> seconds after which its rows may be dropped."""
        return {
            name: parse_duration(stream.expires) / 1e9
            for name, stream in self.streams.items()
            if stream.expires is not None
        }

    @property
    def kept_raw(self) -> dict[str, float]:
        """Stream -> seconds for which rows that weren't sent can be requested."""
        return {name: parse_duration(stream.keep_raw) / 1e9 for name, stream in self.streams.items()}


def read_settings(path: Path) -> GatewaySettings:
    """Read the settings of a gateway; files that they name are relative to the folder of the YAML file.

    Raises
    ------
    SchemaError
        If the file isn't there or isn't valid; names each key.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        settings = GatewaySettings.model_validate(found)
    except (OSError, yaml.YAMLError) as error:
        msg = f"settings of a gateway {path}: {error}"
        raise SchemaError(msg) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        msg = f"settings of a gateway {path}: {faults}"
        raise SchemaError(msg) from error
    folder = path.resolve().parent
    files = {
        name: str(folder / given) for name in ("ca", "certificate", "key") if (given := getattr(settings.broker, name))
    }
    broker = settings.broker.model_copy(update=files)
    scores = tuple(one.model_copy(update={"model": str(folder / one.model)}) for one in settings.scores)
    signing = None if settings.signing_key is None else str(folder / settings.signing_key)
    names = settings.pseudonyms
    if names is not None:
        names = names.model_copy(update={"key": str(folder / names.key)})
    own = {
        "broker": broker, "outbox": str(folder / settings.outbox), "scores": scores, "signing_key": signing, "pseudonyms": names,
    }  # fmt: skip
    return settings.model_copy(update=own)
