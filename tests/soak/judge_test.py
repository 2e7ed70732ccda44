#!/usr/bin/env python3
"""The judges of the soak can tell: what is wrong is called wrong, and a run in which nothing happened does not pass."""
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True

from clients import parse_report  # noqa: E402
from figures import FAULTS, LEAST, LEAST_A_MINUTE, Figures  # noqa: E402
from ledger import PEACE, Ledger  # noqa: E402

OK, BAD, LATER, HOP, ALICE, TEAM = (
    "ok1@partner.example", "b5a@partner.example", "w4-1@partner.example", "ok4@hop.example", "alice@example.test",
    "team@example.test")
NOW = 2_000_000


class Milter:
    unwell_until = 0.0

    def was_unwell(self, since):
        return self.unwell_until > since


class JudgeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.ledger = Ledger(self.folder.name)

    def message(self, *recipients):
        self.ledger.accepted(1, recipients, "QID")
        return self.ledger.told[-1]

    def verdict(self, recipient, reply, at=1, mtrk="-", envelope_id="m1@client.example"):
        hop = "hop" if recipient == HOP else "partner"
        with open("%s/%s.verdicts" % (self.folder.name, hop), "a") as file:
            file.write("%d\t%s\t%s\t%s\t%s\n" % (at, envelope_id, recipient, reply, mtrk))
        self.ledger.catch_up()

    def fault(self, message, *groups, at=NOW):
        return self.ledger.fault_of(message, groups, at)

    def test_a_verdict_that_was_given_may_be_told(self):
        for recipient, reply, action, status in (
                (OK, "250 2.0.0", "relayed", "2.1.9"), (BAD, "550 5.1.1", "failed", "5.1.1"),
                (LATER, "451 4.2.2", "delayed", "4.2.2")):
            message = self.message(recipient)
            self.assertIsNone(self.fault(message, (recipient, "delayed", "4.0.0")))
            self.assertIsNotNone(self.fault(message, (recipient, action, status)), "nothing was said yet")
            self.verdict(recipient, reply)
            self.assertIsNone(self.fault(message, (recipient, action, status)))

    def test_an_alias_is_no_members_fate(self):
        message = self.message(TEAM)
        for action, status in (("delivered", "2.0.0"), ("relayed", "2.1.9"), ("failed", "5.1.1")):
            self.assertIsNotNone(self.fault(message, (TEAM, action, status)))
        self.assertIsNone(self.fault(message, (TEAM, "delayed", "4.0.0")))
        self.assertIsNone(self.fault(message, (TEAM, "expanded", "2.1.5")))
        self.assertIsNotNone(self.fault(message, (TEAM, "delivered", "2.0.0")), "not afterwards either")

    def test_a_false_success_is_seen(self):
        self.verdict(BAD, "550 5.1.1")
        for action, status in (("relayed", "2.1.9"), ("delivered", "2.0.0"), ("transferred", "2.4.0")):
            self.assertIsNotNone(self.fault(self.message(BAD), (BAD, action, status)))

    def test_a_false_failure_or_another_status_is_seen(self):
        self.verdict(OK, "250 2.0.0")
        self.verdict(BAD, "550 5.1.1")
        self.assertIsNotNone(self.fault(self.message(OK), (OK, "failed", "5.1.1")))
        self.assertIsNotNone(self.fault(self.message(BAD), (BAD, "failed", "5.7.1")))

    def test_an_answer_cannot_know_what_came_after_it(self):
        self.verdict(OK, "250 2.0.0", at=NOW + 1)
        self.assertIsNotNone(self.fault(self.message(OK), (OK, "relayed", "2.1.9")))

    def test_transferred_needs_mtrk(self):
        message = self.message(HOP)
        self.verdict(HOP, "250 2.0.0")
        self.assertIsNotNone(self.fault(message, (HOP, "transferred", "2.4.0")))
        self.verdict(HOP, "250 2.0.0", mtrk="mtrk")
        self.assertIsNone(self.fault(message, (HOP, "transferred", "2.4.0")))

    def test_the_verdict_of_another_message_does_not_count(self):
        self.verdict(OK, "250 2.0.0", envelope_id="m2@client.example")
        self.assertIsNotNone(self.fault(self.message(OK), (OK, "relayed", "2.1.9")))

    def test_mail_that_left_with_the_fold_counts(self):
        self.verdict(OK, "250 2.0.0", envelope_id="m1@client.example;MTRK:VheLhqV/rCKJmplkGFwsyW59pYk:86400")
        self.assertIsNone(self.fault(self.message(OK), (OK, "relayed", "2.1.9")))
        self.assertEqual(self.ledger.folded, 1)

    def test_missing_foreign_and_doubled_recipients_are_seen(self):
        message = self.message(OK, ALICE)
        waits = ("delayed", "4.0.0")
        for recipients in ((OK,), (OK, BAD), (OK, ALICE, ALICE), ()):
            self.assertIsNotNone(self.fault(message, *((name,) + waits for name in recipients)))
        self.assertIsNone(self.fault(message, (ALICE,) + waits, (OK,) + waits))

    def test_a_final_outcome_stays(self):
        message = self.message(ALICE)
        self.assertIsNone(self.fault(message, (ALICE, "delivered", "2.0.0")))
        self.assertIsNotNone(self.fault(message, (ALICE, "delayed", "4.0.0")))

    def test_what_was_acknowledged_has_to_be_known(self):
        message, milter = self.message(OK), Milter()
        now = time.monotonic() + PEACE + 1
        self.assertFalse(self.ledger.has_to_be_known(message, now, milter))
        with open(self.folder.name + "/mtrk-milter.log", "w") as log:
            log.write("mtrk-milter: OTHER: mtrk=tracked, nrcpt=1, timeout=-, commit=late\n")
            log.write("mtrk-milter: QID: mtrk=tracked, nrcpt=1, timeout=-, commit=done\n")
        self.ledger.catch_up()
        self.assertEqual(list(self.ledger.acknowledged), ["QID"])
        self.assertTrue(self.ledger.has_to_be_known(message, time.monotonic() + PEACE + 1, milter))
        milter.unwell_until = time.monotonic() + PEACE
        self.assertFalse(self.ledger.has_to_be_known(message, time.monotonic() + PEACE + 1, milter))

    def test_what_was_shown_once_has_to_be_known(self):
        message = self.message(OK)
        self.fault(message, (OK, "delayed", "4.0.0"))
        self.assertTrue(self.ledger.has_to_be_known(message, time.monotonic(), Milter()))

    def test_the_end_knows_one_outcome(self):
        message = self.message(OK, BAD, LATER, ALICE, TEAM)
        self.assertFalse(self.ledger.is_settled(message))
        self.assertEqual(self.ledger.final_outcomes(message, OK), set())
        self.verdict(OK, "250 2.0.0")
        self.verdict(BAD, "550 5.1.1")
        self.verdict(LATER, "451 4.2.2")
        self.assertFalse(self.ledger.is_settled(message))
        self.verdict(LATER, "250 2.0.0", at=2)
        self.ledger.mailed.add((1, ALICE))
        self.assertTrue(self.ledger.is_settled(message))
        self.assertEqual(
            [self.ledger.final_outcomes(message, name) for name in message.recipients],
            [{("relayed", "2.1.9")}, {("failed", "5.1.1")}, {("relayed", "2.1.9")}, {("delivered", "2.0.0")},
             {("expanded", "2.1.5")}])

    def test_a_folded_field_is_one(self):
        self.assertEqual(
            parse_report(["Final-Recipient: rfc822;", " someone@example.test", "Action: delayed", "Status: 4.0.0", "",
                          "Final-Recipient: rfc822; b@x.example", "Action: failed", "Status: 5.1.1"]),
            [("someone@example.test", "delayed", "4.0.0"), ("b@x.example", "failed", "5.1.1")])


class FiguresTest(unittest.TestCase):
    def full(self):
        figures = Figures()
        for name, least in LEAST_A_MINUTE.items():
            figures.count(name, least)
        for name in (*LEAST, "kill -9"):
            figures.count(name)
        return figures

    def test_enough_and_no_fault_passes(self):
        self.assertEqual(self.full().failures(1, {"kill -9"}), [])

    def test_nothing_at_all_fails(self):
        reasons = Figures().failures(1, {"kill -9"})
        self.assertEqual(len(reasons), len(LEAST_A_MINUTE) + len(LEAST) + 1)

    def test_each_lack_fails(self):
        for name in (*LEAST_A_MINUTE, *LEAST, "kill -9"):
            figures = self.full()
            figures.counts[name] = 0
            self.assertTrue(figures.failures(1, {"kill -9"}), name)

    def test_twice_the_time_needs_twice_as_much(self):
        self.assertTrue(self.full().failures(2, {"kill -9"}))

    def test_each_fault_fails(self):
        for kind in FAULTS:
            figures = self.full()
            figures.faults[kind].append("something")
            self.assertTrue(figures.failures(1, {"kill -9"}), kind)


if __name__ == "__main__":
    unittest.main()
