"""Members join, leave and are killed in random order while spans flow: nothing is lost.

A failure names its seed; SPANBRIDGE_TEST_SEED repeats it, as far as several processes can be made
to repeat themselves.
"""

import os
import random
import unittest

from harness import group
from harness.wait import until

ROUNDS = 60
MEMBERS_MAX = 4


class ManyMoves(group.GroupCase):
    def test_random_moves(self) -> None:
        seed = int(os.environ.get("SPANBRIDGE_TEST_SEED") or random.randrange(1 << 32))
        for protocol in group.PROTOCOLS:
            with self.subTest(protocol, seed=seed):
                self.begin(protocol)
                self.move(random.Random(seed))
                self.check()

    def move(self, chance: random.Random) -> None:
        self.join(**group.KEEPS_ALL)
        for _ in range(ROUNDS):
            for half in self.halves(60):
                self.produce(half)
            target = len(self.receiver.spans()) + chance.randrange(100)
            until("some spans", lambda: len(self.receiver.spans()) >= target)  # noqa: B023
            dice = chance.random()
            if dice < 0.2 and len(self.members) < MEMBERS_MAX:
                self.join(**group.KEEPS_ALL)
            elif dice < 0.35 and len(self.members) > 1:
                self.leave(chance.choice(self.members))
            elif dice < 0.4 and len(self.members) > 1:
                self.kill(chance.choice(self.members))

    def check(self) -> None:
        until("all is committed", lambda: self.produced == sum(
            self.kafka.committed(self.topic, self.topic, group.PARTITIONS)))
        self.assertEqual(self.produced, len(self.arrived()))
        for member in list(self.members):
            self.assertEqual(0, self.leave(member)["held"])


if __name__ == "__main__":
    unittest.main()
