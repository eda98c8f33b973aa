"""A broker with Kafka's protocol, on a free port of 127.0.0.1: noida-db, which comes from PyPI as a program.

Kafka's own broker and Redpanda aren't on PyPI. noida-db answers fetches, offsets, transactions, deletions of records and consumer
groups, and keeps its topics over a restart; it has no TLS, and a topic in it has no id.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import time
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.field_peers import free_port

__all__ = ["Kafka"]

#: Seconds that a broker may take on a busy machine.
PATIENCE = 60.0
_NUMBERS = itertools.count(1)


class Kafka:
    """A broker with topics of its own.

    Parameters
    ----------
    folder : Path
        Of its data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address = f"127.0.0.1:{self.port}"
        self._program = folder / "noida-db"
        shutil.copy(str(files("noida_db") / "noida-db"), self._program)
        self._program.chmod(0o755)
        self.admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        self._server: subprocess.Popen[bytes] | None = None
        self._producer: ck.Producer | None = None

    def start(self) -> None:
        """Start the broker, with the topics that it had, and wait until it answers."""
        command = [
            str(self._program),
            "start",
            "--only",
            "kafka",
            "--kafka-port",
            str(self.port),
            "--data-dir",
            str(self.folder),
        ]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.admin.list_topics(timeout=5)
            except ck.KafkaException:
                assert time.monotonic() < until, (self.folder / "log").read_text()
            else:
                return

    def stop(self, *, kill: bool = False) -> None:
        """Stop the broker; with ``kill`` it can't save what it has."""
        if self._server is not None:
            (self._server.kill if kill else self._server.terminate)()
            self._server.wait(PATIENCE)
            self._server = None

    def topic(self, *, partitions: int = 1, name: str = "") -> str:
        """Make a topic, and return its name."""
        made = name or f"topic-{next(_NUMBERS)}"
        self.admin.create_topics([NewTopic(made, num_partitions=partitions, replication_factor=1)])[made].result(
            PATIENCE
        )
        return made

    def delete_topic(self, topic: str) -> None:
        """Delete a topic."""
        self.admin.delete_topics([topic])[topic].result(PATIENCE)

    def add_partitions(self, topic: str, count: int) -> None:
        """Let a topic have so many partitions."""
        self.admin.create_partitions([NewPartitions(topic, count)])[topic].result(PATIENCE)
        self._producer = None  # it knows the partitions that there were

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Delete the messages before an offset, as retention does."""
        asked = self.admin.delete_records([ck.TopicPartition(topic, partition, offset)])
        for future in asked.values():
            future.result(PATIENCE)

    def send(self, topic: str, values: Iterable[Any], **given: Any) -> None:
        """Send messages, in order, and wait until the broker has them; ``given`` is for ``produce``, such as ``partition``."""
        if self._producer is None:
            settings = {"bootstrap.servers": self.address, "log_level": 0, "linger.ms": 5, "max.in.flight": 1}
            self._producer = ck.Producer({**settings, "message.max.bytes": 50_000_000})
        faults: list[object] = []

        def done(error: object, _: object) -> None:
            faults.extend([error] if error is not None else [])

        for value in values:
            while True:
                try:
                    self._producer.produce(topic, value, on_delivery=done, **given)
                except BufferError:
                    self._producer.poll(0.1)
                else:
                    break
        assert self._producer.flush(PATIENCE) == 0
        assert faults == []

    def transaction(self, topic: str, values: Iterable[bytes], *, commit: bool) -> None:
        """Send messages as a transaction, which is committed or aborted."""
        producer = ck.Producer(
            {"bootstrap.servers": self.address, "log_level": 0, "transactional.id": f"tx-{next(_NUMBERS)}"}
        )
        producer.init_transactions(PATIENCE)
        producer.begin_transaction()
        for value in values:
            producer.produce(topic, value, partition=0)
        (producer.commit_transaction if commit else producer.abort_transaction)(PATIENCE)

    def committed(self, group: str, topic: str) -> int:
        """Return the offset that a consumer group has committed for partition 0; -1001 without one."""
        consumer = ck.Consumer({"bootstrap.servers": self.address, "group.id": group, "log_level": 0})
        try:
            return int(consumer.committed([ck.TopicPartition(topic, 0)], timeout=PATIENCE)[0].offset)
        finally:
            consumer.close()
