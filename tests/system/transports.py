"""Every way a record can come: codecs, encryption, passwords, several partitions; and every way
it can go: compression, TLS, headers from files.
"""

import unittest

from harness import bridge, env, otlp
from harness.kafka import PASSWORD, USER, Kafka
from harness.receiver import Receiver


class Transports(env.Case):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kafka = Kafka(cls.base / "kafka").start()
        cls.addClassCleanup(cls.kafka.kill)
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)

    def setUp(self) -> None:
        super().setUp()
        self.topic = self._testMethodName
        self.kafka.create_topics(self.topic)

    def fill(self, count: int = 30, as_json: bool = False, **config: object) -> set[bytes]:
        made = [otlp.small_trace() for _ in range(count)]
        bodies = [otlp.as_json(m.body) if as_json else m.body for m in made]
        self.kafka.produce(self.topic, bodies, **config)
        return {span_id for m in made for span_id in m.span_ids}

    def check_all_arrive(self, expected: set[bytes], bootstrap: str = "",
                         kafka: dict[str, str] | None = None, encoding: str = "otlp_proto",
                         **sink: bridge.Value) -> None:
        url = sink.pop("url", self.receiver.url)
        made = bridge.Bridge(self.folder, bootstrap or self.kafka.bootstrap,
                             [bridge.otlp_http(str(url), **sink)], group=self.topic, kafka=kafka)
        report = made.spans(self.topic, encoding).drain()
        self.assertEqual(len(expected), report["exported"])
        self.assertEqual(set(), expected - self.receiver.span_ids())

    def test_codecs(self) -> None:
        expected: set[bytes] = set()
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            expected |= self.fill(compression_type=codec, linger_ms=50)
        self.check_all_arrive(expected)

    def test_transactions(self) -> None:
        """Records of an aborted transaction are not read, control records hold nothing up."""
        kept, aborted = otlp.small_trace(), otlp.small_trace()
        producer = self.kafka.producer(transactional_id="writer")
        producer.init_transactions(env.PATIENCE_S)
        for made, end in ((kept, producer.commit_transaction),
                          (aborted, producer.abort_transaction)):
            producer.begin_transaction()
            producer.produce(self.topic, made.body)
            producer.flush(env.PATIENCE_S)
            end(env.PATIENCE_S)
        self.check_all_arrive(set(kept.span_ids))
        self.assertFalse(set(aborted.span_ids) & self.receiver.span_ids())

    def test_json(self) -> None:
        self.check_all_arrive(self.fill(as_json=True), encoding="otlp_json")

    def test_scram(self) -> None:
        expected = self.fill()
        self.check_all_arrive(expected, self.kafka.bootstrap_sasl, {
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
            "sasl.username": USER, "sasl.password": PASSWORD})

    def test_wrong_password_is_said(self) -> None:
        made = bridge.Bridge(self.folder, self.kafka.bootstrap_sasl,
                             [bridge.otlp_http(self.receiver.url)], group=self.topic, kafka={
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
            "sasl.username": USER, "sasl.password": "not-the-word"}).spans(self.topic)
        run = made.start("--fail-fast")
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())
        self.assertIn("uthentication", run.log())
        self.assertNotIn("not-the-word", run.log() + run.out())

    def test_tls(self) -> None:
        self.check_all_arrive(self.fill(), self.kafka.bootstrap_tls, {
            "security.protocol": "SSL", "ssl.ca.location": str(self.kafka.certs.ca)})

    def test_tls_of_a_stranger_is_refused(self) -> None:
        made = bridge.Bridge(self.folder, self.kafka.bootstrap_tls,
                             [bridge.otlp_http(self.receiver.url)], group=self.topic,
                             kafka={"security.protocol": "SSL"}).spans(self.topic)
        run = made.start("--fail-fast")
        self.assertEqual(bridge.EX_UNAVAILABLE, run.wait(), run.tail())

    def test_gzip_to_the_backend(self) -> None:
        self.check_all_arrive(self.fill(), compression="gzip")
        self.assertEqual("gzip", self.receiver.headers[-1]["content-encoding"])

    def test_tls_and_a_token_to_the_backend(self) -> None:
        secure = Receiver(self.kafka.certs)
        self.addCleanup(secure.close)
        token = self.folder / "token"
        token.write_text("Bearer very-secret\n")
        expected = self.fill()
        made = bridge.Bridge(
            self.folder, self.kafka.bootstrap,
            [bridge.otlp_http(secure.url, tls={"ca": str(self.kafka.certs.ca)}, headers=[
                {"name": "authorization", "file": str(token)},
                {"name": "x-scope-orgid", "value": "tests"}])], group=self.topic)
        run = made.spans(self.topic).start("--drain", "--json")
        bridge.finish(run)
        self.assertEqual(expected, secure.span_ids())
        self.assertEqual("Bearer very-secret", secure.headers[-1]["authorization"])
        self.assertEqual("tests", secure.headers[-1]["x-scope-orgid"])
        self.assertNotIn("very-secret", run.log() + run.out())


if __name__ == "__main__":
    unittest.main()
