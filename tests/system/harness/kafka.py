"""A real Apache Kafka in KRaft mode, one node that is broker and controller.

`python -m harness.kafka FOLDER` (from tests/system) runs one until its stdin closes and prints
its bootstrap address first: for the bench, and for trying things by hand.
"""

import pathlib
import sys
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription, NewTopic

from harness import certs, env
from harness.ports import free_ports, is_listening
from harness.process import Process
from harness.wait import until

USER, PASSWORD = "app", "app-secret"
_NO_COORDINATOR_YET = {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
                       KafkaError.COORDINATOR_NOT_AVAILABLE}
_CLUSTER_ID = "AAAAAAAAQACAAAAAAAAAAQ"
_NO_LEADER_YET = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}
_JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]

_LOG_CONFIG = """\
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1} %m%n
"""


class Kafka:
    """Formats its storage once; start and stop as often as needed, on the same ports and data."""

    def __init__(self, folder: pathlib.Path, properties: dict[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.certs = certs.make(folder)
        self.port, self.sasl_port, self.tls_port, self._controller_port = free_ports(4)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.bootstrap_sasl = f"127.0.0.1:{self.sasl_port}"
        self.bootstrap_tls = f"127.0.0.1:{self.tls_port}"
        self._process: Process | None = None
        self._write_config(properties or {})
        self._format()

    def start(self) -> "Kafka":
        self._process = Process("kafka", [
            *_JAVA, "-Xms256m", "-Xmx256m", "-cp", env.kafka_libs() + "/*",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "kafka.Kafka", str(self.folder / "server.properties")], self.folder)
        self._process.wait_log("Kafka Server started")
        until("Kafka listens", lambda: is_listening(self.port))
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(patience_s=30)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _format(self) -> None:
        format_ = Process("kafka-format", [
            *_JAVA, "-Xmx128m", "-cp", env.kafka_libs() + "/*", "kafka.tools.StorageTool", "format",
            "-t", _CLUSTER_ID, "-c", str(self.folder / "server.properties"),
            "--add-scram", f"SCRAM-SHA-256=[name={USER},password={PASSWORD}]",
            "--ignore-formatted"], self.folder)
        if format_.wait() != 0:
            raise AssertionError(f"Kafka's storage could not be formatted\n{format_.tail()}")

    def _write_config(self, properties: dict[str, str]) -> None:
        (self.folder / "log4j2.properties").write_text(_LOG_CONFIG)
        login = "org.apache.kafka.common.security"
        advertised = (f"PLAINTEXT://127.0.0.1:{self.port},SASL://127.0.0.1:{self.sasl_port},"
                      f"SSL://127.0.0.1:{self.tls_port}")
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listeners": f"{advertised},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": advertised,
            "listener.security.protocol.map":
                "PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
            "listener.name.sasl.plain.sasl.jaas.config":
                f'{login}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
            "listener.name.sasl.scram-sha-256.sasl.jaas.config":
                f"{login}.scram.ScramLoginModule required;",
            "listener.name.ssl.ssl.keystore.type": "PEM",
            "listener.name.ssl.ssl.keystore.location": str(self.certs.server),
            "listener.name.ssl.ssl.truststore.type": "PEM",
            "listener.name.ssl.ssl.truststore.location": str(self.certs.ca),
            "listener.name.ssl.ssl.client.auth": "requested",
            **properties,
        }
        (self.folder / "server.properties").write_text(
            "".join(f"{name}={value}\n" for name, value in settings.items()))

    # What tests do with it.

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 3})

    def create_topics(self, *names: str, partitions: int = 1,
                      config: dict[str, str] | None = None) -> None:
        topics = [NewTopic(name, num_partitions=partitions, replication_factor=1,
                           config=config or {}) for name in names]
        admin = self.admin()  # its futures live only as long as it does
        for future in admin.create_topics(topics).values():
            future.result(env.PATIENCE_S)

    def delete_topics(self, *names: str) -> None:
        admin = self.admin()
        for future in admin.delete_topics(list(names)).values() if names else ():
            future.result(env.PATIENCE_S)
        until("the topics are gone", lambda: not self.topics().intersection(names))

    def topics(self) -> set[str]:
        return {name for name in self.admin().list_topics(timeout=env.PATIENCE_S).topics
                if not name.startswith("__")}

    def producer(self, **config: object) -> Producer:
        return Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, "log_level": 3,
                         **{name.replace("_", "."): value for name, value in config.items()}})

    def produce(self, topic: str, values: Iterable[bytes], partition: int = -1,
                **config: object) -> list[tuple[int, int]]:
        """Produces all of them; returns their (partition, offset), in order."""
        producer = self.producer(**config)
        placed: dict[int, tuple[int, int]] = {}

        def delivered(number: int, error: KafkaError | None, message: object) -> None:
            if error is not None:
                raise KafkaException(error)
            placed[number] = (message.partition(), message.offset())  # type: ignore[attr-defined]

        count = 0
        for count, value in enumerate(values, 1):
            producer.produce(topic, value, partition=partition,
                             on_delivery=lambda e, m, n=count: delivered(n, e, m))
            producer.poll(0)
        producer.flush(env.PATIENCE_S)
        assert len(placed) == count, f"{count - len(placed)} records were not delivered"
        return [placed[number] for number in range(1, count + 1)]

    def committed(self, group: str, topic: str, partitions: int = 1) -> list[int]:
        """The group's committed offset of each partition; 0 where there is none."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        try:
            offsets = consumer.committed(
                [TopicPartition(topic, p) for p in range(partitions)], timeout=env.PATIENCE_S)
            return [max(o.offset, 0) for o in offsets]
        finally:
            consumer.close()

    def members(self, group: str) -> list[str]:
        """The ids of the group's members, as soon as its coordinator is there."""
        admin = self.admin()

        def described() -> ConsumerGroupDescription | None:
            try:
                return admin.describe_consumer_groups([group])[group].result(env.PATIENCE_S)
            except KafkaException as error:
                if error.args[0].code() not in _NO_COORDINATOR_YET:
                    raise
                return None

        return sorted(m.member_id for m in until(f"{group} has a coordinator", described).members)

    def read_all(self, topic: str) -> list:
        """Every message that the topic holds now, partition by partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "harness",
                             "enable.auto.commit": False, "auto.offset.reset": "earliest"})
        try:
            known = consumer.list_topics(topic, timeout=env.PATIENCE_S).topics[topic]
            messages = []
            for number in known.partitions:
                place = TopicPartition(topic, number, 0)
                at, end = self._offsets(consumer, place)
                consumer.assign([place])
                while at < end:
                    message = consumer.poll(env.PATIENCE_S)
                    if message is None or message.error():
                        raise AssertionError(f"{topic}[{number}] could not be read: {message}")
                    messages.append(message)
                    at = message.offset() + 1
            return messages
        finally:
            consumer.close()

    @staticmethod
    def _offsets(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
        """From where to where the partition reaches, once the broker that was started leads it."""
        def ask() -> tuple[int, int] | None:
            try:
                return consumer.get_watermark_offsets(place, timeout=env.PATIENCE_S)
            except KafkaException as error:
                if error.args[0].code() in _NO_LEADER_YET:
                    return None
                raise
        return until(f"{place.topic}[{place.partition}] has a leader", ask)


def _serve(folder: str) -> None:
    kafka = Kafka(pathlib.Path(folder)).start()
    try:
        print(kafka.bootstrap, flush=True)
        sys.stdin.read()
    finally:
        kafka.stop()


if __name__ == "__main__":
    _serve(sys.argv[1])
