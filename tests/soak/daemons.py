"""The three programs under test: started, hit, started again; and when each of them was not well."""
import os
import signal
import socket
import subprocess
import time


def wait_until(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return True
    except OSError:
        return False


class Daemon:
    """One program. `ready` tells whether it serves; `reload_signal` is how it is told to read its configuration."""

    def __init__(self, name, command, log, ready, reload_signal, stale=None):
        self.name = name
        self.command = command
        self.log = log
        self.ready = ready
        self.reload_signal = reload_signal
        self.stale = stale  # a socket that a killed process leaves behind
        self.process = None
        self.expected_to_run = False
        self.unwell_until = 0.0  # on time.monotonic(): somebody hit it before
        self.complaints = []

    def start(self):
        if self.stale and os.path.exists(self.stale):
            os.unlink(self.stale)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        ready = wait_until(30, lambda: self.ready() or self.process.poll() is not None)
        if self.process.poll() is not None:
            return False
        if not ready:
            self.complaints.append("does not serve 30 s after its start")
        self.unwell_until = time.monotonic() + 0.5
        self.expected_to_run = True
        return True

    def start_again(self, tolerated_exits=()):
        """Until it runs: a supervisor would try again, too. Ends with these exit codes are lawful meanwhile."""
        end = time.monotonic() + 30
        while not self.start():
            code = self.process.returncode
            if code not in tolerated_exits:
                self.complaints.append("ended with %d at its start" % code)
            if time.monotonic() > end:
                return
            time.sleep(0.5)

    def hit(self, number):
        self.unwell_until = float("inf")
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.expected_to_run = False
        self.process.send_signal(number)

    def recover(self):
        self.unwell_until = time.monotonic() + 0.5

    def end(self, number=signal.SIGTERM, seconds=40):
        """Ends it; its exit status, None if it had to be killed after all."""
        self.hit(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def was_unwell(self, since):
        return self.unwell_until > since

    def watch(self):
        """A program that ended although nobody hit it is a fault, and is started again."""
        if self.expected_to_run and self.process.poll() is not None:
            self.complaints.append("ended by itself with %d" % self.process.returncode)
            self.start_again()

    def resident(self):
        """Octets of memory."""
        try:
            with open("/proc/%d/statm" % self.process.pid) as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
        except (OSError, IndexError):
            return 0
