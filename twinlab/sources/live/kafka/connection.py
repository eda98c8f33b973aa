"""The client library: what the brokers have, messages, and errors in words. Its calls block, and are made in threads."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient

from twinlab.errors import SourceError
from twinlab.model.basics import parse_duration
from twinlab.model.extensions.secrets import secret_of
from twinlab.model.terms import nearest
from twinlab.sources.live.kafka.options import KafkaOptions
from twinlab.sources.live.kafka.place import Extent

__all__ = ["Connection", "Partition", "Taken", "UselessError"]

# What librdkafka logs of lost connections; `health` has it, too.
_CLIENT_LOG = logging.getLogger("twinlab.live.kafka.client")
_CLIENT_LOG.setLevel(logging.CRITICAL)
#: KiB of messages that the library reads ahead.
_AHEAD_KIB = 16 << 10
#: Bytes of one answer at most, of a message therefore a little less.
_MOST_BYTES = 1 << 30
#: Seconds for which the first message of a batch is awaited.
_WAIT = 0.5
_Code = ck.KafkaError


def _own(name: str) -> int:
    """Return the number of an error of the library itself, whose names begin with an underscore."""
    return int(getattr(_Code, f"_{name}"))


_END, _ALL_DOWN = _own("PARTITION_EOF"), _own("ALL_BROKERS_DOWN")
#: Errors that come again however often one tries.
_USELESS = {
    _own("AUTHENTICATION"): "check `login` and the certificates",
    _Code.SASL_AUTHENTICATION_FAILED: "check `login`",
    _own("SSL"): "check `ca`, `certificate` and the broker's name in its certificate",
    _Code.TOPIC_AUTHORIZATION_FAILED: "let this user read the topic",
    _Code.CLUSTER_AUTHORIZATION_FAILED: "let this user read the topic",
    _Code.UNSUPPORTED_SASL_MECHANISM: "state another `mechanism`",
}
#: Messages that are events of the library, not errors: more comes of itself.
_PASSING = {_ALL_DOWN, _own("TRANSPORT"), _own("RESOLVE"), _own("TIMED_OUT")}

#: A partition doesn't have the offset from which it was to be read.
_OUTSIDE = {_own("AUTO_OFFSET_RESET"), _Code.OFFSET_OUT_OF_RANGE}

Partition = tuple[str, int]


class UselessError(SourceError):
    """The broker refuses what it will refuse again."""


@dataclass(frozen=True)
class Taken:
    """The messages and reports of one poll."""

    messages: Mapping[str, Sequence[ck.Message]]
    """Topic -> its messages; those of a partition in their order."""
    ends: Mapping[Partition, int]
    """Partitions whose end was reached, with the offset that the next message gets at least."""
    highs: Mapping[Partition, int]
    """Partitions that messages came of, with the offset that the next message gets, as the broker said with them."""
    outside: Sequence[Partition] = ()
    """Partitions that don't have the offset from which they were to be read."""
    errors: Sequence[str] = ()


class Connection:
    """Reads partitions of a cluster, without a consumer group.

    Parameters
    ----------
    options : KafkaOptions
    name : str
        Of the source.
    folder : Path
        The twin's.

    Raises
    ------
    UselessError
        If a secret is missing, or the library refuses an option such as a file of certificates.
    """

    def __init__(self, options: KafkaOptions, name: str, folder: Path) -> None:
        self._options, self._name = options, name
        self._timeout = parse_duration(options.timeout) / 1e9
        self._gather = parse_duration(options.gather) / 1e9
        self._last: ck.KafkaError | None = None
        self._admin: AdminClient | None = None
        self._assigned = False
        try:
            self._client = self._connecting(folder)
            self._consumer = ck.Consumer(self._client | self._consuming(), logger=_CLIENT_LOG)
        except (ck.KafkaException, SourceError) as error:
            msg = f"source {name!r}: {error}"
            raise UselessError(msg) from error

    def partitions(self) -> dict[str, list[int]]:
        """Return the partitions that each topic has.

        Raises
        ------
        UselessError
            If a topic doesn't exist, or this user may not read it.
        OSError
            If no broker answers.
        """
        found = self._ask(self._consumer.list_topics, timeout=self._timeout).topics
        out = {}
        for topic, rule in self._options.topics.items():
            one = found.get(topic)
            if one is None or one.error is not None:
                self._check(None if one is None else one.error)
                msg = f"source {self._name!r}: there is no topic {topic!r}{nearest(topic, [n for n in found if n[:2] != '__'])}"
                raise UselessError(msg)
            there = sorted(one.partitions)
            missing = sorted(set(rule.partitions or ()) - set(there))
            if missing:
                msg = f"source {self._name!r}: topic {topic!r} has the partitions {there[0]} to {there[-1]}, and no {missing[0]}"
                raise UselessError(msg)
            out[topic] = there if rule.partitions is None else sorted(set(rule.partitions))
        return out

    def topic_ids(self) -> dict[str, str]:
        """Return the id of each topic; an empty text if the broker states none (before Kafka 2.8)."""
        out = dict.fromkeys(self._options.topics, "")
        if self._admin is None:
            self._admin = AdminClient(self._client, logger=_CLIENT_LOG)
        try:
            asked = self._admin.describe_topics(ck.TopicCollection(list(out)), request_timeout=self._timeout)
            for topic, future in asked.items():
                given = str(future.result(self._timeout).topic_id)
                out[topic] = "" if set(given) <= {"A"} else given
        except (ck.KafkaException, TimeoutError):
            pass  # an older broker, or a user who may only read: then offsets alone say whether a topic is another one
        return out

    def extent(self, partition: Partition, topic_id: str = "") -> Extent:
        """Return what a broker has of a partition; errors as of `partitions`."""
        low, high = self._ask(
            self._consumer.get_watermark_offsets, ck.TopicPartition(*partition), timeout=self._timeout
        )
        return Extent(low, high, topic_id)

    def at_time(self, partition: Partition, time_ms: int) -> int | None:
        """Return the offset of the first message from a time on; None if there is none."""
        asked = [ck.TopicPartition(*partition, time_ms)]
        found = self._ask(self._consumer.offsets_for_times, asked, timeout=self._timeout)[0]
        return None if found.offset < 0 else int(found.offset)

    def read_from(self, offsets: Mapping[Partition, int]) -> None:
        """Read more partitions, or others of them, from offsets on."""
        known = {(one.topic, one.partition) for one in self._ask(self._consumer.assignment)}
        again = [ck.TopicPartition(*one) for one in offsets if one in known]
        if again:
            self._ask(self._consumer.incremental_unassign, again)
        self._assigned = True
        self._ask(self._consumer.incremental_assign, [ck.TopicPartition(*one, at) for one, at in offsets.items()])

    def take(self) -> Taken:
        """Return what comes: waits for a message, then for more for a short time.

        Raises
        ------
        UselessError
            If the broker refuses this user.
        """
        found = self._ask(self._consumer.consume, 1, _WAIT)
        if found and self._options.rows > 1:
            found += self._ask(self._consumer.consume, self._options.rows - 1, self._gather)
        messages: dict[str, list[ck.Message]] = {}
        ends: dict[Partition, int] = {}
        outside: list[Partition] = []
        errors: list[str] = []
        for one in found:
            error = one.error()
            topic, partition, offset = one.topic() or "", one.partition() or 0, one.offset() or 0
            if error is None:
                messages.setdefault(topic, []).append(one)
            elif error.code() == _END:
                ends[topic, partition] = offset
            elif error.code() in _OUTSIDE:
                outside.append((topic, partition))
            else:
                self._check(error)
                errors.append(f"{topic}/{partition}: {error.str()}" if topic else error.str())
        return Taken(messages, ends, self._highs(messages), outside, errors)

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit durable offsets to the consumer group.

        Raises
        ------
        OSError
            If no broker answers, or it refuses.
        """
        given = [ck.TopicPartition(*one, at) for one, at in offsets.items()]
        self._ask(self._consumer.commit, offsets=given, asynchronous=False)

    def close(self) -> None:
        """Close all connections."""
        self._consumer.close()

    # -- inside ----------------------------------------------------------------------------------------------------
    def _highs(self, messages: Mapping[str, Sequence[ck.Message]]) -> dict[Partition, int]:
        out: dict[Partition, int] = {}
        for one in {(topic, found.partition() or 0) for topic, of in messages.items() for found in of}:
            known = self._consumer.get_watermark_offsets(ck.TopicPartition(*one), cached=True)
            if known[1] >= 0:
                out[one] = known[1]
        return out

    def _connecting(self, folder: Path) -> dict[str, Any]:
        """Return the settings that every client has."""
        options = self._options
        made: dict[str, Any] = {
            "bootstrap.servers": ",".join(options.servers),
            "client.id": options.client,
            "socket.timeout.ms": round(self._timeout * 1000),
            "socket.connection.setup.timeout.ms": max(1000, round(self._timeout * 1000)),
            "reconnect.backoff.max.ms": 5_000,
        }
        made["security.protocol"] = ("SASL_" if options.login is not None else "") + (
            "SSL" if options.tls else "PLAINTEXT"
        )
        files = {"ca": "ssl.ca.location", "certificate": "ssl.certificate.location", "private_key": "ssl.key.location"}
        for name, key in files.items():
            if (given := getattr(options, name)) is not None:
                made[key] = str(_file(folder / given, name))
        if options.key_password is not None:
            made["ssl.key.password"] = secret_of(options.key_password, "the key of kafka")
        if options.login is not None:
            made["sasl.mechanism"] = options.login.mechanism
            made["sasl.username"] = options.login.user
            made["sasl.password"] = secret_of(options.login.password, "the password of kafka")
        return made

    def _consuming(self) -> dict[str, Any]:
        """Return the settings of the consumer."""
        return {
            # The library wants a group, which isn't joined.
            "group.id": self._options.group or f"twinlab-{self._name}",
            "error_cb": self._note,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "check.crcs": True,
            "queued.max.messages.kbytes": _AHEAD_KIB,
            "receive.message.max.bytes": _MOST_BYTES,
        }

    def _note(self, error: ck.KafkaError) -> None:
        """Note an error that the library reports of its connections."""
        if self._last is None or error.code() != _ALL_DOWN:
            self._last = error

    def _ask(self, call: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401  (calls of the library)
        """Call the library; raise what it raises, or has noted, as an error in words."""
        try:
            found = call(*arguments, **options)
        except ck.KafkaException as error:
            given = error.args[0]
            if not self._assigned:
                self._consumer.poll(0)  # it lets the library say why; no message comes yet
            self._check(self._last)
            self._check(given)
            detail = self._last if self._last is not None and given.code() in _PASSING else given
            msg = f"source {self._name!r}: {', '.join(self._options.servers)}: {detail.str()}. Check that the brokers run."
            raise ConnectionError(msg) from error
        if self._last is not None:
            self._check(self._last)
            self._last = None
        return found

    def _check(self, error: ck.KafkaError | None) -> None:
        """Raise if an error comes again however often one tries."""
        if error is not None and error.code() in _USELESS:
            msg = f"source {self._name!r}: {error.str()}: {_USELESS[error.code()]}"
            raise UselessError(msg)


def _file(path: Path, option: str) -> Path:
    """Return the path of a file that exists: the library's own words don't name it."""
    if not path.is_file():
        msg = f"expected a file {path}, which doesn't exist: correct `{option}`"
        raise SourceError(msg)
    return path
