"""What was counted, what went wrong, and whether both together mean anything: an accounting that does not pass by
having looked at nothing."""
import threading

# Whatever of this happened is a failure.
FAULTS = ("refused", "over the limit", "acknowledged lost", "wrong answers", "wrong final outcomes", "mail lost",
          "MTQP broken", "programs")

# What a minute has to have at least, on a slow machine under a sanitizer, too.
LEAST_A_MINUTE = {
    "mail accepted, direct": 120,
    "mail accepted, gate": 80,
    "records acknowledged": 100,
    "queries": 600,
    "answers with outcomes": 300,
    "kills": 4,
}
# What there has to be at all.
LEAST = ("told delayed", "told relayed", "told delivered", "told failed", "told expanded", "told transferred",
         "answers without information", "final outcomes")


class Figures:
    """Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {}
        self.slowest_seconds = {}
        self.faults = {name: [] for name in FAULTS}

    def count(self, name, number=1):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + number

    def slowest(self, way, seconds):
        with self.lock:
            self.slowest_seconds[way] = max(seconds, self.slowest_seconds.get(way, 0))

    def fault(self, kind, what):
        with self.lock:
            self.faults[kind].append(what)
            if len(self.faults[kind]) <= 20:
                print("FAULT  %s: %s" % (kind, what), flush=True)

    def failures(self, minutes, kinds_of_trouble):
        """Why the run failed; empty if it passed."""
        reasons = ["%d x %s" % (len(what), kind) for kind, what in self.faults.items() if what]
        for name, least in LEAST_A_MINUTE.items():
            if self.counts.get(name, 0) < least * minutes:
                reasons.append("too few: %s (%d in %g minutes, not %d)" % (
                    name, self.counts.get(name, 0), minutes, least * minutes))
        for name in (*LEAST, *sorted(kinds_of_trouble)):
            if self.counts.get(name, 0) == 0:
                reasons.append("none at all: " + name)
        temporary = self.counts.get("answers -TEMP", 0)
        if temporary * 5 > self.counts.get("queries", 0):
            reasons.append("over a fifth of the answers was -TEMP (%d)" % temporary)
        return reasons

    def table(self):
        rows = sorted(self.counts.items())
        rows += [("slowest mail, %s, ms" % way, round(seconds * 1000)) for way, seconds in sorted(self.slowest_seconds.items())]
        rows += [("FAULTS: " + kind, len(what)) for kind, what in self.faults.items()]
        width = max(len(name) for name, _ in rows)
        return "\n".join("%-*s %9d" % (width, name, number) for name, number in rows)
