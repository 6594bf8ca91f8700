"""Prints how long each test file took, from the JUnit file of a pytest run."""

import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree


def time_table(junit: Path) -> str:
    """The table, slowest file first."""
    seconds: dict[str, float] = defaultdict(float)
    tests: dict[str, int] = defaultdict(int)
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        # A class of tests is a component that does not start with "test_".
        parts = case.get("classname", "").split(".")
        while len(parts) > 1 and not parts[-1].startswith("test_"):
            parts.pop()
        name = "/".join(parts) + ".py"
        seconds[name] += float(case.get("time", 0.0))
        tests[name] += 1
    rows = [
        f"{seconds[name]:8.1f} s {tests[name]:6d} tests  {name}" for name in sorted(seconds, key=seconds.get)
    ]
    total = f"{sum(seconds.values()):8.1f} s {sum(tests.values()):6d} tests  all"
    return "\n".join(["time by file", *reversed(rows), total])


if __name__ == "__main__":
    print(time_table(Path(sys.argv[1])))
