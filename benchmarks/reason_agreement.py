"""Whether two engines give the same reason for a failure: near misses that failed in both.

Where one engine lifts the stone and the other does not, the episodes differ and so must the reasons; so the
agreement is told for all pairs, and for those in which the engines agree about *lifted*.

    python -m benchmarks.reason_agreement --n 250 --seed 0 --json reasons.json
"""

import sys
from collections import Counter

import core
from benchmarks.timing import arguments, write
from bomb.parity.near_misses import near_miss
from bomb.parity.play import CLEAR, environment, play_script
from bomb.statistics import rate

SPLIT = "parity"
BOUND = 0.95  # of the pairs in which the engines agree about *lifted*


def main() -> int:
    args = arguments(__doc__, n=250, seed=0)
    every, alike, differ = [], [], []
    reasons: Counter[str] = Counter()
    backends = core.list_backends()
    for seed in range(args.seed, args.seed + args.n):
        start, waypoints = near_miss(SPLIT, seed)
        infos = [play_script(environment(name, SPLIT, CLEAR), start, waypoints).info for name in backends]
        if any(info["success"] for info in infos):
            continue
        first, second = (info["placement"]["reason"] for info in infos)
        reasons[first] += 1
        every.append(first == second)
        if infos[0]["stage"]["lifted"] == infos[1]["stage"]["lifted"]:
            alike.append(first == second)
        if first != second:
            differ.append([seed, first, second])
            print(f"seed {seed}: {backends[0]} {first}, {backends[1]} {second}")
    results = {"all": rate(every).to_dict(), "lifted alike": rate(alike).to_dict(), "differ": differ}
    for name in ("all", "lifted alike"):
        entry = results[name]
        print(f"{name}: {entry['value']:.3f}, {entry['interval']}, n = {entry['n']}")
    print(dict(reasons))
    write(results, args.json)
    return 0 if alike and sum(alike) / len(alike) >= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
