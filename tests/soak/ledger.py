"""What is known to be true: which mail the clients were told is accepted, which records the milter acknowledged, and
what became of each recipient according to those who decided it, the next hops and the mailboxes. Every answer of
TRACK is judged against that.

Memory is a few hundred octets a message.
"""
import os
import random
import re
import threading
import time

ENVELOPE_ID = re.compile(r"m(\d+)@client\.example")
ACKNOWLEDGED = re.compile(rb"^mtrk-milter: (\S+): mtrk=tracked, .*commit=done")
TERMINAL = {"delivered", "relayed", "transferred", "failed", "expanded"}
EXPANDED = "team@example.test"
LOCAL = ("alice@example.test", "bob@example.test")
PEACE = 5.0  # seconds
HOP_DOMAIN = "@hop.example"  # reached through mtrk-gate


def number_of(envelope_id):
    found = ENVELOPE_ID.match(envelope_id)
    return int(found.group(1)) if found else None


class Tail:
    """The lines that are appended to a file."""

    def __init__(self, path):
        self.path = path
        self.read_octets = 0
        self.rest = b""

    def lines(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path, "rb") as file:
            file.seek(self.read_octets)
            octets = file.read()
        self.read_octets += len(octets)
        *lines, self.rest = (self.rest + octets).split(b"\n")
        return lines


class Message:
    __slots__ = ("number", "recipients", "queue_id", "seen", "shown")

    def __init__(self, number, recipients, queue_id):
        self.number = number
        self.recipients = recipients
        self.queue_id = queue_id
        self.seen = None  # terminal outcomes that TRACK has told, by recipient
        self.shown = False  # TRACK has known it

    @property
    def envelope_id(self):
        return "m%d@client.example" % self.number


class Ledger:
    """Thread-safe."""

    def __init__(self, work):
        self.lock = threading.Lock()
        self.told = []  # accepted messages, in the order of their "250"
        self.acknowledged = {}  # queue id -> when that was read, on time.monotonic()
        self.verdicts = {}  # (number, recipient) -> [(microseconds, code, status, with MTRK)]
        self.mailed = set()  # (number, local recipient)
        self.folded = 0  # verdicts on mail that left with the fold in ENVID
        self.milter_log = Tail(work + "/mtrk-milter.log")
        self.hops = [Tail(work + "/partner.verdicts"), Tail(work + "/hop.verdicts")]
        self.mailboxes = {name: "%s/mx/mail/%s/new" % (work, name.split("@")[0]) for name in LOCAL}

    def accepted(self, number, recipients, queue_id):
        with self.lock:
            self.told.append(Message(number, recipients, queue_id))

    def pick(self, recent):
        """A random accepted message, one of the last if `recent`."""
        with self.lock:
            if not self.told:
                return None
            first = max(0, len(self.told) - 150) if recent else 0
            return self.told[random.randrange(first, len(self.told))]

    def has_to_be_known(self, message, now, milter):
        """A record that TRACK once knew, always. One that was acknowledged as soon as the milter had peace to see in
        the log that the mail system took the message."""
        acknowledged = self.acknowledged.get(message.queue_id)
        return message.shown or (
            acknowledged is not None and acknowledged < now - PEACE and not milter.was_unwell(now - PEACE))

    def catch_up(self):
        """Reads what milter and next hops have written."""
        now = time.monotonic()
        with self.lock:
            for line in self.milter_log.lines():
                found = ACKNOWLEDGED.match(line)
                if found:
                    self.acknowledged.setdefault(found.group(1).decode(), now)
            for hop in self.hops:
                for line in hop.lines():
                    self._note_verdict(line.decode("utf-8", "replace").split("\t"))

    def _note_verdict(self, row):
        number = number_of(row[1])
        self.folded += "MTRK:" in row[1]
        if number is not None:
            code, status = row[3].split(" ")
            self.verdicts.setdefault((number, row[2]), []).append((int(row[0]), code, status, row[4] == "mtrk"))

    def empty_mailboxes(self):
        for name, folder in self.mailboxes.items():
            if not os.path.isdir(folder):
                continue
            for entry in os.listdir(folder):
                path = folder + "/" + entry
                with open(path, errors="replace") as mail:
                    number = next((number_of(line[9:]) for line in mail if line.startswith("Subject: ")), None)
                os.unlink(path)
                with self.lock:
                    self.mailed.add((number, name))

    # --- judging ----------------------------------------------------------------------------------

    def fault_of(self, message, groups, answered_at):
        """What is wrong with an answer, groups of (recipient, action, status); None if it can be true. `answered_at`,
        in microseconds, is when the answer was there: it cannot know of later verdicts."""
        message.shown = True
        if sorted(group[0] for group in groups) != sorted(message.recipients):
            return "recipients %s" % [group[0] for group in groups]
        for recipient, action, status in groups:
            if not self._possible(message, recipient, action, status, answered_at):
                return "%s %s %s, but %s" % (
                    recipient, action, status, self.verdicts.get((message.number, recipient), "nothing happened"))
            before = (message.seen or {}).get(recipient)
            if before is not None and before != (action, status):
                return "%s was %s %s, is %s %s" % ((recipient,) + before + (action, status))
            if action in TERMINAL:
                message.seen = message.seen or {}
                message.seen[recipient] = (action, status)
        return None

    def _possible(self, message, recipient, action, status, until):
        if (action, status) == ("delayed", "4.0.0"):
            return True  # accepted, and nothing else is known
        if recipient == EXPANDED:
            return (action, status) == ("expanded", "2.1.5")
        if recipient in LOCAL:
            return (action, status) == ("delivered", "2.0.0")
        if action == "delayed" and recipient.endswith(HOP_DOMAIN) and (status.startswith("4.4.") or status == "4.3.2"):
            return True  # the gate was not there, or about to leave
        verdicts = [row for row in self.verdicts.get((message.number, recipient), []) if row[0] <= until]
        return any(
            (action == "relayed" and status == "2.1.9" and code == "250")
            or (action == "transferred" and status == "2.4.0" and code == "250" and with_mtrk)
            or (action == "failed" and status == verdict and code[0] == "5")
            or (action == "delayed" and status == verdict and code[0] == "4")
            for _, code, verdict, with_mtrk in verdicts)

    def final_outcomes(self, message, recipient):
        """The outcomes that may be told once everything is at rest."""
        if recipient == EXPANDED:
            return {("expanded", "2.1.5")}
        if recipient in LOCAL:
            return {("delivered", "2.0.0")} if (message.number, recipient) in self.mailed else set()
        verdicts = self.verdicts.get((message.number, recipient), [])
        accepted = [row for row in verdicts if row[1] == "250"]
        if accepted:
            # More than one, if the gate was killed between the next hop's reply and its own.
            return {("transferred", "2.4.0") if row[3] else ("relayed", "2.1.9") for row in accepted}
        return {("failed" if row[1][0] == "5" else "delayed", row[2]) for row in verdicts[-1:]}

    def is_settled(self, message):
        """Everybody who has to has decided, but for those who never will."""
        return all(
            (message.number, recipient) in self.mailed if recipient in LOCAL
            else recipient == EXPANDED or self._decided(message.number, recipient)
            for recipient in message.recipients)

    def _decided(self, number, recipient):
        codes = [row[1] for row in self.verdicts.get((number, recipient), [])]
        stays_deferred = recipient.startswith(("t4", "d4"))
        return any(code[0] in "25" or stays_deferred for code in codes)
