"""What goes wrong meanwhile, by a schedule that the seed decides: the same seed does the same things in the same order.

All kinds of trouble are one pack of cards that is shuffled again when it is used up, so that none is forgotten.
"""
import os
import random
import shutil
import signal
import subprocess
import time

from daemons import wait_until

SYSEXITS = range(64, 79)
KEPT_LOGS = 8
KILL_CHILD = "kill -9 of a child"  # if there is one


class Trouble:
    def __init__(self, seed, work, store, store_is_mounted, daemons, figures, postfix):
        self.random = random.Random(seed)
        self.work, self.store, self.daemons, self.figures, self.postfix = work, store, daemons, figures, postfix
        self.maillog = work + "/mx/log/maillog"
        self.rotations = 0
        self.began = time.monotonic()
        self.pack = []
        for name in daemons:
            self.pack += [("kill -9", name), ("stop, then kill -9", name), ("stop and continue", name),
                          ("SIGTERM", name), ("reload", name)]
        self.pack += [(KILL_CHILD, "mtrk-milter")]
        self.pack += [("log renamed", ""), ("log copied and truncated", "")]
        if store_is_mounted:
            self.pack += [("disk full", ""), ("disk full and kill -9", "mtrk-milter")]
        self.hand = []
        self.struck = 0

    def kinds(self):
        return {kind for kind, _ in self.pack} - {KILL_CHILD}

    def has_tried_all(self):
        return self.struck >= len(self.pack)

    def strike(self):
        """The next card."""
        if not self.hand:
            self.hand = self.random.sample(self.pack, len(self.pack))
        kind, name = self.hand.pop()
        print("%7.1f s  %s %s" % (time.monotonic() - self.began, kind, name), flush=True)
        {
            "kill -9": self.kill,
            KILL_CHILD: self.kill_child,
            "stop, then kill -9": self.stop_and_kill,
            "stop and continue": self.stop_and_continue,
            "SIGTERM": self.terminate,
            "reload": self.reload,
            "log renamed": self.rename_log,
            "log copied and truncated": self.copy_and_truncate_log,
            "disk full": self.fill_disk,
            "disk full and kill -9": lambda: self.fill_disk(self.daemons["mtrk-milter"]),
        }[kind](*([self.daemons[name]] if name and "disk" not in kind else []))
        self.figures.count(kind)
        self.struck += 1

    def pause(self, shortest, longest):
        time.sleep(self.random.uniform(shortest, longest))

    # --- processes --------------------------------------------------------------------------------

    def kill(self, daemon, tolerated=()):
        daemon.end(signal.SIGKILL)
        self.figures.count("kills")
        self.pause(0, 0.8)
        daemon.start_again(tolerated)

    def kill_child(self, daemon):
        """Kills the store's process, which is the child of the keeper, which is the daemon's. Without its keeper
        mtrk-milter goes on untracked until it is restarted, and says so."""
        daemon.unwell_until = time.monotonic() + 6  # what the child did has to be begun anew
        for keeper in self.children_of(daemon.process.pid):
            for child in self.children_of(keeper):
                try:
                    os.kill(child, signal.SIGKILL)
                    self.figures.count("kills")
                except OSError:
                    pass  # it ended by itself

    @staticmethod
    def children_of(pid):
        found = []
        try:
            for thread in os.listdir("/proc/%d/task" % pid):
                with open("/proc/%d/task/%s/children" % (pid, thread)) as file:
                    found += [int(child) for child in file.read().split()]
        except OSError:
            pass  # it ended by itself
        return found

    def stop_and_kill(self, daemon):
        daemon.hit(signal.SIGSTOP)
        self.pause(0.1, 1.2)
        self.kill(daemon)

    def stop_and_continue(self, daemon):
        daemon.hit(signal.SIGSTOP)
        self.pause(0.1, 1.2)
        daemon.hit(signal.SIGCONT)
        daemon.recover()

    def terminate(self, daemon):
        status = daemon.end()
        if status != 0:
            daemon.complaints.append("SIGTERM: ended with %s" % status)
        self.pause(0, 0.3)
        daemon.start_again()

    def reload(self, daemon):
        daemon.process.send_signal(daemon.reload_signal)

    # --- the log ----------------------------------------------------------------------------------

    def next_log(self):
        self.rotations += 1
        old = "%s.%d" % (self.maillog, self.rotations - KEPT_LOGS)
        if os.path.exists(old):
            os.unlink(old)
        return "%s.%d" % (self.maillog, self.rotations)

    def rename_log(self):
        os.rename(self.maillog, self.next_log())
        subprocess.run([self.postfix, "run", self.work + "/mx", "postfix", "reload"], check=True, capture_output=True)

    def copy_and_truncate_log(self):
        """Nobody writes in between: what is written then is lost to every reader."""
        writer = self.log_writer()
        if writer is None:
            return
        os.kill(writer, signal.SIGSTOP)
        try:
            wait_until(2, lambda: self.state(writer) == "T")
            shutil.copy(self.maillog, self.next_log())
            os.truncate(self.maillog, 0)
        finally:
            os.kill(writer, signal.SIGCONT)

    def log_writer(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                program = os.readlink("/proc/%s/exe" % pid)
            except OSError:
                continue
            if program == self.work + "/mx/postfix/usr/lib/postfix/sbin/postlogd":
                return int(pid)
        return None

    @staticmethod
    def state(pid):
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    # --- the disk ---------------------------------------------------------------------------------

    def fill_disk(self, to_kill=None):
        milter = self.daemons["mtrk-milter"]
        milter.unwell_until = float("inf")  # it cannot write what it sees
        ballast = os.path.dirname(self.store) + "/ballast"
        with open(ballast, "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass
        self.pause(1, 2)
        if to_kill:
            self.kill(to_kill, SYSEXITS)
            milter.unwell_until = float("inf")
        self.pause(0.5, 2)
        os.unlink(ballast)
        milter.unwell_until = time.monotonic() + 6  # its pauses between attempts grow to 5 s
