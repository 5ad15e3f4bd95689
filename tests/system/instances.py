"""Several instances share a topic that is keyed by trace id; partitions move among them.

A trace has its verdict when its fourth span arrives, and that comes with its second half: so
whatever moves before that half is produced must arrive once.  Only who is killed while it exports
may have exported what the next owner exports again.
"""

import unittest

from harness import bridge, group
from harness.group import PROTOCOLS, SPANS, Member
from harness.wait import until

TRACES = 300
HALF = TRACES * SPANS // 2


class Instances(group.GroupCase):
    def share(self, protocol: str, named: bool = False) -> list[list[bytes]]:
        """Two members share the partitions, and have read the first half of every trace."""
        self.begin(protocol)
        for name in ("a", "b"):
            self.join(**({"instance": name} if named else {}))
        self.wait_shared()
        first, second = self.halves(TRACES)
        self.produce(first)
        self.wait_read(HALF)
        return second

    def go_on(self, second: list[list[bytes]]) -> None:
        """Whoever has them now has read all first halves; then come the second ones."""
        self.wait_read(HALF)
        self.produce(second)
        self.finish()
        self.check_once()

    def test_a_third_joins(self) -> None:
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.share(protocol)
                self.join()
                self.wait_shared()
                until("spans are given back",
                      lambda: sum(m.returned() for m in self.members) > 0)
                self.go_on(second)

    def test_one_leaves(self) -> None:
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.share(protocol)
                report = self.leave(self.members[0])
                self.assertEqual((HALF // 2, 0), (report["held"], report["exported"]))
                self.assertTrue(report["shared"])
                self.go_on(second)

    def test_one_is_killed(self) -> None:
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.share(protocol)
                self.kill(self.members[0])
                self.go_on(second)

    def test_one_is_killed_while_it_exports(self) -> None:
        """What it had exported may arrive twice, and nothing is missing."""
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                self.begin(protocol)
                for _ in range(2):
                    self.join(**group.KEEPS_ALL)
                self.wait_shared()
                self.receiver.answer = lambda n: 200 if n % 2 else 503
                for half in self.halves(TRACES):
                    self.produce(half)
                until("some spans", lambda: len(self.receiver.spans()) > 100)
                self.kill(self.members[0])
                self.finish()
                arrived = self.arrived()
                self.assertEqual(self.produced, len(arrived))
                self.assertLessEqual(max(arrived.values()), 2)

    def test_a_named_instance_comes_back(self) -> None:
        """Within the session timeout no partition moves."""
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.share(protocol, named=True)
                comes_back, stays = self.members
                moves = stays.moves()
                comes_back.stop()
                comes_back.start()
                self.wait_read(HALF)
                self.assertEqual(moves, stays.moves())
                self.kill(comes_back)
                comes_back.start()
                if protocol == "consumer":
                    self.check_waits(comes_back)
                self.members.append(comes_back)
                self.wait_read(HALF)
                # KIP-848 lets the name in again when its session has ended: they have moved then.
                if protocol != "consumer":
                    self.assertEqual(moves, stays.moves())
                self.go_on(second)

    def check_waits(self, member: Member) -> None:
        """The name is still taken: it says for what it waits, and gets in by itself."""
        event = member.run.wait_event("trouble", what="group")
        # The broker has told it the length of a session, and it adds two seconds.
        self.assertIn("an instance a already, maybe this one before it was killed", event["text"])
        self.assertIn("for 8 s at most", event["text"])
        self.assertEqual({"group": event["text"]}, member.watcher.health()[1])
        until("it is in", lambda: member.lanes() > 0)
        self.assertEqual(1, len(member.run.events("trouble")))
        self.assertEqual(200, member.watcher.health()[0])

    def test_two_of_one_name(self) -> None:
        """The classic protocol turns out who was there, KIP-848 who comes and still finds the
        other there when the session of a dead one would have ended: both say why."""
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                second = self.share(protocol, named=True)
                old, new = self.members[0], self.join(instance="a")
                out = new if protocol == "consumer" else old
                self.members.remove(out)
                event = out.run.wait_event("fenced", level="error")
                self.assertIn("instance a", event["text"])
                self.assertEqual(bridge.EX_NOPERM, out.run.wait())
                bridge.Report.of(out.run)
                self.go_on(second)


if __name__ == "__main__":
    unittest.main()
