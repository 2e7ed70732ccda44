"""The soak itself; `run` makes the site and calls it. See there."""
import argparse
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time

from clients import Conversation, SECRET, SmtpLoad, TrackLoad, parse_report
from daemons import Daemon, answers, wait_until
from figures import Figures
from ledger import Ledger
from trouble import Trouble

SETTLE_SECONDS = 180


def read_options():
    parser = argparse.ArgumentParser()
    for name in ("work", "bin", "postfix", "store"):
        parser.add_argument("--" + name, required=True)
    for name in ("smtp-port", "gate-port", "gate-out-port", "mtqp-port"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--mounted", action="store_true", help="the store has a small file system of its own")
    parser.add_argument("--limit", type=float, default=3.0, help="seconds a mail may take")
    return parser.parse_args()


class Soak:
    def __init__(self, options):
        self.options = options
        self.figures = Figures()
        self.ledger = Ledger(options.work)
        self.daemons = self.make_daemons()
        self.trouble = Trouble(options.seed, options.work, options.store, options.mounted, self.daemons,
                               self.figures, options.postfix)
        milter, server, gate = (self.daemons[name] for name in ("mtrk-milter", "mtqpd", "mtrk-gate"))
        self.mail = [SmtpLoad(options.smtp_port, None, self.ledger, self.figures, 0.06) for _ in range(3)]
        self.mail += [SmtpLoad(options.gate_port, gate, self.ledger, self.figures, 0.06) for _ in range(3)]
        self.tracks = [TrackLoad(options.mtqp_port, server, milter, self.ledger, self.figures, 0.06) for _ in range(2)]
        self.memory = {}

    def make_daemons(self):
        options = self.options
        milter_socket = options.work + "/mx/spool/mtrk/milter.sock"

        def daemon(name, ready, reload_signal, stale=None):
            command = [options.bin + "/" + name, "--config", options.work + "/mtrk.conf"]
            return Daemon(name, command, "%s/%s.log" % (options.work, name), ready, reload_signal, stale)

        return {
            "mtrk-milter": daemon("mtrk-milter", lambda: os.path.exists(milter_socket), signal.SIGUSR1, milter_socket),
            "mtqpd": daemon("mtqpd", lambda: answers(options.mtqp_port), signal.SIGHUP),
            "mtrk-gate": daemon("mtrk-gate", lambda: answers(options.gate_port) and answers(options.gate_out_port),
                                signal.SIGHUP),
        }

    def run(self):
        for daemon in self.daemons.values():
            daemon.start_again()
        try:
            self.load()
            self.settle()
            self.final_account()
        finally:
            for daemon in self.daemons.values():
                if daemon.process and daemon.process.poll() is None:
                    daemon.process.send_signal(signal.SIGCONT)
                    if daemon.end() != 0:
                        daemon.complaints.append("did not end well in the end")
        for daemon in self.daemons.values():
            for complaint in daemon.complaints:
                self.figures.fault("programs", "%s: %s" % (daemon.name, complaint))

    def load(self):
        for thread in self.mail + self.tracks:
            thread.start()
        end = time.monotonic() + self.options.minutes * 60
        time.sleep(2)
        while time.monotonic() < end or not self.trouble.has_tried_all():
            self.trouble.strike()
            self.trouble.pause(0.3, 2.7)
            self.ledger.empty_mailboxes()
            for daemon in self.daemons.values():
                daemon.watch()
                self.memory[daemon.name] = max(self.memory.get(daemon.name, 0), daemon.resident())
        for thread in self.mail + self.tracks:
            thread.stopping.set()
        for thread in self.mail + self.tracks:
            thread.join(60)

    # --- the end ----------------------------------------------------------------------------------

    def settle(self):
        """Until every recipient has met its fate."""
        open_messages, end = self.ledger.told, time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            self.ledger.catch_up()
            self.ledger.empty_mailboxes()
            open_messages = [message for message in open_messages if not self.ledger.is_settled(message)]
            if not open_messages:
                return
            subprocess.run([self.options.postfix, "run", self.options.work + "/mx", "postqueue", "-f"], check=True)
            time.sleep(3)

    def final_account(self):
        """Every message that a client was told is accepted: it was not lost; if its record was acknowledged, TRACK
        knows it; and what TRACK knows is what happened. The follower of the log gets some time to be there."""
        open_messages, end = list(self.ledger.told), time.monotonic() + 60
        while open_messages and time.monotonic() < end:
            time.sleep(1)
            self.ledger.catch_up()
            open_messages = [message for message, fault in self.judge_all(open_messages) if fault]
        for message, (kind, what) in self.judge_all(open_messages):
            self.figures.fault(kind, "%s %s: %s" % (message.envelope_id, message.queue_id, what))
        told = self.ledger.told
        acknowledged = sum(message.queue_id in self.ledger.acknowledged for message in told)
        self.figures.count("records acknowledged", acknowledged)
        self.figures.count("not acknowledged, yet known", sum(
            message.shown and message.queue_id not in self.ledger.acknowledged for message in told))
        self.figures.count("not tracked", sum(not message.shown for message in told))
        self.figures.count("final outcomes", sum(len(message.recipients) for message in told if message.shown))
        self.figures.count("verdicts on mail with the fold", self.ledger.folded)
        for way, seconds in self.figures.slowest_seconds.items():
            if seconds > self.options.limit:
                self.figures.fault("over the limit", "%s: %.2f s" % (way, seconds))
        for name, octets in self.memory.items():
            self.figures.count("most memory, %s, MiB" % name, octets >> 20)
        self.figures.count("most memory, the soak, MiB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
        self.figures.count("store, MiB", os.stat(self.options.store + "/data.mdb").st_blocks >> 11)

    def judge_all(self, messages):
        """(message, fault) of each; the fault is None or (kind, what)."""
        peer = Conversation(self.options.mtqp_port)
        peer.mtqp_reply()
        for first in range(0, len(messages), 50):
            some = messages[first:first + 50]
            peer.send(*("TRACK %s %s" % (message.envelope_id, SECRET) for message in some))
            for message in some:
                yield message, self.final_fault(message, *peer.mtqp_reply())
        peer.close()

    def final_fault(self, message, first, body):
        ledger = self.ledger
        if not ledger.is_settled(message):
            return "mail lost", "no verdict on %s" % (message.recipients,)
        if first.startswith("-ERR/noinfo"):
            known = message.shown or message.queue_id in ledger.acknowledged
            return ("acknowledged lost", first) if known else None
        if not first.startswith("+OK+"):
            return "wrong answers", first
        groups = parse_report(body)
        fault = ledger.fault_of(message, groups, int(time.time() * 1e6))
        if fault:
            return "wrong answers", fault
        for recipient, action, status in groups:
            expected = ledger.final_outcomes(message, recipient)
            if (action, status) not in expected:
                return "wrong final outcomes", "%s %s %s, not %s" % (recipient, action, status, expected)
        return None


def end_with_parent():
    """Whoever kills `run` ends this, and with it the programs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def main():
    end_with_parent()
    options = read_options()
    soak = Soak(options)
    began = time.monotonic()
    soak.run()
    minutes = options.minutes
    failures = soak.figures.failures(minutes, soak.trouble.kinds())
    print("\n%s\n" % soak.figures.table())
    print("soak: %g minutes (%d s in all), seed %d: %s" % (
        minutes, time.monotonic() - began, options.seed, "FAILED" if failures else "passed"))
    for reason in failures:
        print("  " + reason)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
