"""The clients: SMTP sessions that send tracked mail, directly and through mtrk-gate, and MTQP sessions that ask."""
import random
import socket
import threading
import time


SECRET = "AAECAwQFBgcICQoLDA0ODw=="
WRONG_SECRET = "AQIDBAUGBwgJCgsMDQ4PEA=="
CERTIFIER = "VheLhqV/rCKJmplkGFwsyW59pYk"  # of SECRET

# How often out of a thousand, and the recipients; %d is a second some time from now.
KINDS = [
    (240, ("ok1@partner.example",)),
    (80, ("b5a@partner.example",)),
    (60, ("d5a@partner.example",)),
    (5, ("t4a@partner.example",)),
    (5, ("d4a@partner.example",)),
    (60, ("w4%d-later@partner.example",)),
    (160, ("alice@example.test",)),
    (60, ("team@example.test",)),
    (80, ("ok2@partner.example", "b5b@partner.example")),
    (50, ("alice@example.test", "bob@example.test", "ok3@partner.example")),
    (150, ("ok4@hop.example",)),
    (50, ("b5c@hop.example",)),
]
WEIGHTS = [kind[0] for kind in KINDS]


class Conversation:
    """A line protocol with a peer on loopback. EOFError and OSError when it is gone."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.input = self.socket.makefile("rb")

    def send(self, *lines):
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode())

    def line(self):
        line = self.input.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def smtp_reply(self):
        while True:
            line = self.line()
            if line[3:4] != "-":
                return line

    def mtqp_reply(self):
        """The first line, and the lines of the body, dots unstuffed."""
        first, body = self.line(), []
        if first.startswith("+OK+"):
            for line in iter(self.line, "."):
                body.append(line[1:] if line.startswith(".") else line)
        return first, body

    def close(self):
        self.input.close()
        self.socket.close()


class SmtpLoad(threading.Thread):
    """One message a connection, again and again. `gate` is the Daemon in between, or None: a connection may break
    while that is unwell, and the client was told nothing then."""

    numbers = iter(range(1, 1 << 62))
    numbers_lock = threading.Lock()

    def __init__(self, port, gate, ledger, figures, pause):
        super().__init__(daemon=True)
        self.port, self.gate, self.ledger, self.figures, self.pause = port, gate, ledger, figures, pause
        self.stopping = threading.Event()
        self.random = random.Random()

    def run(self):
        while not self.stopping.wait(self.pause * (0.5 + self.random.random())):
            with self.numbers_lock:
                number = next(self.numbers)
            self.send_message(number)

    def send_message(self, number):
        recipients = tuple(
            name % (time.time() + self.random.randint(2, 8)) if "%d" in name else name
            for name in self.random.choices(KINDS, WEIGHTS)[0][1])
        began = time.monotonic()
        try:
            reply = self.dialogue(number, recipients)
        except (OSError, EOFError) as error:
            reply = "000 connection lost: %r" % error
        took = time.monotonic() - began
        way = "gate" if self.gate else "direct"
        if reply.startswith("250 "):
            self.ledger.accepted(number, recipients, reply.rsplit(" ", 1)[1])
            self.figures.count("mail accepted, " + way)
            self.figures.slowest(way, took)
        elif reply[:3] in ("000", "421") and self.gate and self.gate.was_unwell(began):
            self.figures.count("sessions broken with the gate")
        else:
            self.figures.fault("refused", "m%d %s after %.2f s: %s" % (number, way, took, reply))

    def dialogue(self, number, recipients):
        commands = ["EHLO client.example",
                    "MAIL FROM:<sender@client.example> MTRK=%s:86400 RET=HDRS ENVID=m%d@client.example" % (CERTIFIER, number)]
        commands += ["RCPT TO:<%s>" % recipient for recipient in recipients]
        commands += ["DATA", "Subject: m%d@client.example\r\n\r\n%s\r\n." % (number, "x" * 60)]
        peer = Conversation(self.port)
        try:
            reply = peer.smtp_reply()
            for command in commands:
                if reply[0] not in "23":
                    break
                peer.send(command)
                reply = peer.smtp_reply()
            try:
                peer.send("QUIT")
            except OSError:
                pass  # what counts has been said
            return reply
        finally:
            peer.close()


def parse_report(lines):
    """The recipient groups of a report: (recipient, action, status)."""
    groups, field = [], ""
    for line in lines:
        if line.startswith((" ", "\t")):
            if field == "final-recipient" and groups:
                groups[-1]["final-recipient"] += line.strip()
            continue
        field, _, value = line.partition(":")
        field = field.lower()
        if field == "final-recipient":
            groups.append({field: value.partition(";")[2].strip()})
        elif field in ("action", "status") and groups:
            groups[-1][field] = value.strip()
    return [(group["final-recipient"], group.get("action"), group.get("status")) for group in groups]


class TrackLoad(threading.Thread):
    """Asks for random messages, some at a time, and judges each answer."""

    AT_ONCE = 12

    def __init__(self, port, server, milter, ledger, figures, pause):
        super().__init__(daemon=True)
        self.port, self.server, self.milter = port, server, milter
        self.ledger, self.figures, self.pause = ledger, figures, pause
        self.stopping = threading.Event()

    def run(self):
        peer = None
        while not self.stopping.wait(self.pause):
            began = time.monotonic()
            try:
                if peer is None:
                    peer = Conversation(self.port)
                    peer.mtqp_reply()
                self.ask(peer)
            except (OSError, EOFError) as error:
                if not self.server.was_unwell(began):
                    self.figures.fault("MTQP broken", repr(error))
                self.figures.count("sessions broken with mtqpd")
                peer = peer and peer.close()

    def ask(self, peer):
        self.ledger.catch_up()
        questions = []
        for _ in range(self.AT_ONCE):
            message = self.ledger.pick(recent=random.random() < 0.7)
            if message is not None:
                known = self.ledger.has_to_be_known(message, time.monotonic(), self.milter)
                questions.append((message, known, random.random() < 0.02))
        peer.send(*("TRACK %s %s" % (message.envelope_id, WRONG_SECRET if wrong else SECRET)
                    for message, _, wrong in questions))
        for message, known, wrong in questions:
            first, body = peer.mtqp_reply()
            self.judge(message, known, wrong, first, body)

    def judge(self, message, known, wrong, first, body):
        answered_at = int(time.time() * 1e6)
        self.figures.count("queries")
        if first.startswith("-TEMP"):
            self.figures.count("answers -TEMP")
        elif first.startswith("-ERR/noinfo"):
            self.figures.count("answers without information")
            if known and not wrong:
                self.figures.fault("acknowledged lost", "%s %s: %s" % (message.envelope_id, message.queue_id, first))
        elif not first.startswith("+OK+") or wrong:
            self.figures.fault("wrong answers", "%s, %s secret: %s" % (message.envelope_id, "wrong" if wrong else "right", first))
        else:
            self.figures.count("answers with outcomes")
            self.ledger.catch_up()  # the verdict stands before the answer, so it is read before it is missed
            groups = parse_report(body)
            fault = self.ledger.fault_of(message, groups, answered_at)
            for _, action, _ in groups:
                self.figures.count("told " + str(action))
            if fault:
                self.figures.fault("wrong answers", "%s %s: %s" % (message.envelope_id, message.queue_id, fault))
