"""What ``bomb evaluate`` prints: a bar while it plays, a table at the end."""

from functools import partial
from typing import TYPE_CHECKING, Any

from bomb.disk.text import one_line
from bomb.machine.progress import progress
from bomb.runs.rows import EpisodeRow, ErrorRow
from bomb.statistics import formats
from bomb.statistics.formats import fixed

if TYPE_CHECKING:
    from tqdm import tqdm

_percent = partial(formats.share, digits=1)


class Progress:
    """A bar with the success so far and the errors so far."""

    def __init__(self, policy: str):
        self._policy = policy
        self._bar: tqdm[Any] | None = None  # until the run begins
        self._successes = self._errors = self._played = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, total: int, finished: int) -> None:
        """The run has ``total`` episodes, of which ``finished`` are there already."""
        self._bar = progress(total=total, initial=finished, unit="episode", desc=self._policy)

    def report(self, row: EpisodeRow | ErrorRow) -> None:
        """Counts a row."""
        if isinstance(row, ErrorRow):
            self._errors += 1
        else:
            self._played += 1
            self._successes += row.success
        share = f"success {formats.share(self._successes / self._played)}" if self._played else "success ?"
        errors = f", {self._errors} errors" if self._errors else ""
        if self._bar is not None:
            self._bar.set_postfix_str(share + errors, refresh=False)
            self._bar.update(isinstance(row, EpisodeRow))


def summary_words(result: dict[str, Any]) -> str:
    """The result: in a few lines where there is one condition, as a table where there are several."""
    sees = " (privileged: it sees the true state)" if result["privileged"] else ""
    entries = result["conditions"]
    lines = [f"{result['policy']}{sees}, split {result['split']}, chunks {result['chunk']}"]
    lines += _one(entries[0]) if len(entries) == 1 else _table(entries)
    if result["errors_in_all"]:
        lines.append(
            f"  {result['errors_in_all']} attempts ended with an error and were not counted as failures"
        )
    for entry in entries:
        for seed, message in entry["errors"].items():
            lines.append(f"  {entry['condition']}, seed {seed} could not be played: {one_line(message)}")
    if result["stopped"]:
        played, asked = (sum(entry[key] for entry in entries) for key in ("n", "asked"))
        lines.append(f"stopped after {played} of {asked} episodes: {one_line(result['stopped'])}")
    return "\n".join(lines)


def _one(entry: dict[str, Any]) -> list[str]:
    lines = [f"{entry['condition']}, {entry['n']} episodes"]
    if entry["success_rate"] is not None:
        for words, key, ends in (
            ("success at the end", "success_rate", "interval"),
            ("of these by carrying", "by_carrying_rate", "by_carrying_interval"),
            ("success at any time", "success_once_rate", "success_once_interval"),
        ):
            if entry[key] is not None:
                lines.append(f"  {words:22} {_percent(entry[key]):>6}  {formats.share_interval(entry[ends])}")
    median = entry["success_distance_mm"]["value"]
    if median is not None:
        lines.append(f"  {'median distance, placed':22} {fixed(median, 2):>5} mm")
    moves = entry["moves"]
    if moves is not None:
        lines.append(f"  {'moves done, on average':22} {fixed(moves['average_length']['value'], 2):>5}")
        lines += [
            f"  {k + ' in a row':22} {_percent(share['value']):>6}  of {share['n']} that have so many, "
            f"{_percent(moves['of_all'][k]['value'])} of all {moves['of_all'][k]['n']}"
            for k, share in moves["in_a_row"].items()
        ]
    return lines + [f"  {count:4d} x {formats.words(reason)}" for reason, count in entry["reasons"].items()]


def _table(entries: list[dict[str, Any]]) -> list[str]:
    width = max(len(entry["condition"]) for entry in entries)
    lines = [
        f"{'condition':{width}}  {'n':>5}  success  {'95% interval':16}  carried  {'once':>6}  "
        "most frequent reason"
    ]
    for entry in entries:
        if entry["success_rate"] is None:
            lines.append(f"{entry['condition']:{width}}  {0:5d}")
            continue
        reason = formats.words(next(iter(entry["reasons"]), ""))
        interval = formats.share_interval(entry["interval"])
        carried = _percent(entry["by_carrying_rate"], missing="-")
        success, once = (_percent(entry[key]) for key in ("success_rate", "success_once_rate"))
        lines.append(
            f"{entry['condition']:{width}}  {entry['n']:5d}  {success:>7}  {interval:16}  "
            f"{carried:>7}  {once:>6}  {reason}"
        )
    return lines
