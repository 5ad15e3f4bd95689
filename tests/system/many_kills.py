"""Kills, stops and outages in random order, for some minutes: nothing is lost.

A failure names its seed; SPANBRIDGE_TEST_SEED repeats it, as far as the threads of three
programs can be made to repeat themselves.
"""

import os
import random
import signal
import unittest
from collections.abc import Callable

from harness import bridge, delivery
from harness.wait import until

ROUNDS = 60


class ManyKills(delivery.DeliveryCase):
    def test_random_faults(self) -> None:
        seed = int(os.environ.get("SPANBRIDGE_TEST_SEED") or random.randrange(1 << 32))
        chance = random.Random(seed)
        faults: list[Callable[[bridge.Run], None]] = [
            self.kill_bridge, self.stop_bridge, self.kill_broker, self.backend_down, self.refuse]
        for round_ in range(ROUNDS):
            fault = chance.choice(faults)
            with self.subTest(seed=seed, round=round_, fault=fault.__name__):
                self.produce(traces=chance.randrange(10, 120))
                wait_ms = chance.choice([50, 200, 500])
                run = self.configure(instance="a", window={"wait": f"{wait_ms}ms"}).start()
                target = len(self.receiver.spans()) + chance.randrange(1, 40)
                until("some spans", lambda: len(self.receiver.spans()) >= target)  # noqa: B023
                fault(run)
                self.check_commits()
        self.finish(instance="a")

    def kill_bridge(self, run: bridge.Run) -> None:
        run.kill()

    def stop_bridge(self, run: bridge.Run) -> None:
        run.signal(signal.SIGTERM)
        self.assertEqual(bridge.EX_OK, run.wait(), run.tail())

    def kill_broker(self, run: bridge.Run) -> None:
        self.kafka.kill()
        self.kafka.start()
        until("all spans arrive", lambda: not self.missing())
        run.kill()

    def backend_down(self, run: bridge.Run) -> None:
        self.receiver.down()
        self.produce(traces=20)
        self.receiver.up()
        until("all spans arrive", lambda: not self.missing())
        run.kill()

    def refuse(self, run: bridge.Run) -> None:
        refusals = iter([503, 429, 504, 502])
        self.receiver.answer = lambda _number: next(refusals, 200)
        self.produce(traces=20)
        until("all spans arrive", lambda: not self.missing())
        run.kill()


if __name__ == "__main__":
    unittest.main()
