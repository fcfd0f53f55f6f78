"""What the runs that measure wrote come to: times to levels of the loss, medians over repetitions."""
import collections
import gzip
import json
import math
import statistics

TAUS = (1e-2, 1e-4, 1e-6)
OURS = ("softrelu", "softrelu_warm")
MULTISTART = "softrelu_starts8"  # looks for a better minimiser than one start can find: it sets no mark for the others
SAME = 1e-9  # relative difference of losses that are the same

Member = collections.namedtuple("Member", "n d m noise weight seed")


class Entry:
    """One solver on one member: the first run, and medians over all of its runs."""

    def __init__(self, runs, levels):
        self.first = runs[0]
        self.seconds = statistics.median(run["seconds"] for run in runs)
        times = {tau: [reached(run["losses"], level) for run in runs] for tau, level in levels.items()}
        self.times = {tau: statistics.median(found) if None not in found else found[0] for tau, found in times.items()}
        self.loss = self.first["loss"]
        self.certified = self.first["verdict"] == "certified local minimiser"

    def loss_is_at_or_below(self, loss, race):
        """Losses that round-off cannot tell apart count as equal."""
        return self.loss <= loss * (1.0 + SAME) + 1e-15 * race.start


class Race:
    """All solvers on one member."""

    def __init__(self, record):
        self.member = Member(*record["member"])
        self.time_limit, self.threads, self.clock = record["time_limit"], record["threads"], record["clock"]
        by_solver = collections.defaultdict(list)
        for run in record["runs"]:
            by_solver[run["solver"]].append(run)
        self.start = record["runs"][0]["start"]
        single = [run for run in record["runs"] if run["solver"] != MULTISTART]
        self.best = min(min([run["loss"], *run["losses"][1][-1:]]) for run in single)
        levels = {tau: self.best + tau * (self.start - self.best) for tau in TAUS}
        self.entries = {solver: Entry(runs, levels) for solver, runs in by_solver.items()}

    @property
    def peers(self):
        return {solver: entry for solver, entry in self.entries.items() if solver not in (*OURS, MULTISTART)}

    @property
    def best_peer_loss(self):
        return min((entry.loss for entry in self.peers.values()), default=math.inf)

    def fastest_peer(self, tau):
        """Its name and seconds; (None, None) when no peer gets there."""
        there = [(entry.times[tau], solver) for solver, entry in self.peers.items() if entry.times[tau] is not None]
        return min(there)[::-1] if there else (None, None)


def reached(descent, level):
    """Seconds until the loss was at the level, or None."""
    return next((seconds for seconds, loss in zip(*descent) if loss is not None and loss <= level), None)


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [Race(json.loads(line)) for line in file]


def geometric_mean(values):
    values = list(values)
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else None


def sizes(races):
    return sorted({race.member[:3] for race in races})


def regimes(races):
    return sorted({(race.member.noise, race.member.weight) for race in races}, key=lambda regime: (regime[0], regime[1]))


def chosen(races, size=None, regime=None):
    return [race for race in races
            if size in (None, race.member[:3]) and regime in (None, (race.member.noise, race.member.weight))]


def solvers(races):
    """Ours, then the peers; without several starts."""
    names = dict.fromkeys(name for race in races for name in race.entries if name != MULTISTART)
    return [name for name in OURS if name in names] + [name for name in names if name not in OURS]
