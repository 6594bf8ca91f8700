"""What two runs were made with and differ in: said beside every number that stands on both."""

import json
from collections.abc import Iterable, Sequence
from itertools import combinations

from bomb.report.loading import LoadedRun

OTHERWISE = "made with different versions or settings"


def made_otherwise(first: LoadedRun, second: LoadedRun) -> tuple[str, ...]:
    """In words, what the runs were made with and differ in: versions, renderer, tolerances.

    Both engines' versions are among them. A run that drew nothing has no renderer and no pictures
    to differ in.
    """
    words = []
    a, b = (run.settings.get("versions") or {} for run in (first, second))
    drew = all(run.settings.get("renderer") is not None for run in (first, second))
    for name in dict.fromkeys((*a, *b)):
        if a.get(name) != b.get(name) and (drew or name != "pictures"):
            words.append(f"{name} {a.get(name) or 'none'} and {b.get(name) or 'none'}")
    for name in ("renderer", "tolerances"):
        one, other = first.settings.get(name), second.settings.get(name)
        if one is not None and other is not None and one != other:
            words.append(f"{name} {_plain(one)} and {_plain(other)}")
    return tuple(words)


def not_alike(first: LoadedRun, second: LoadedRun) -> tuple[str, ...]:
    """``made_otherwise``, and the terms of play that differ: chunks, control rate, steps, ..."""
    terms = tuple(
        f"{name} {_plain(first.settings.get(name))} and {_plain(second.settings.get(name))}"
        for name in first.other_terms(second)
    )
    return (*terms, *made_otherwise(first, second))


def differences(runs: Sequence[LoadedRun]) -> list[str]:
    """Sentences on what any two of several runs differ in: settings, makings, fingerprints.

    Pairs that differ in the same are told together, so many runs make few sentences.
    """
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for first, second in combinations(runs, 2):
        for words in _differing(first, second):
            sides = found.setdefault(words, ({}, {}))
            sides[0][first.name] = sides[1][second.name] = None
    return [f"{_sides(*map(list, sides))} {words}" for words, sides in found.items()]


def _differing(first: LoadedRun, second: LoadedRun) -> list[str]:
    words = []
    for name in first.other_terms(second):
        a, b = (json.dumps(run.settings.get(name)) for run in (first, second))
        words.append(f"were played under different settings: {name} is {a} and {b}")
    if made := made_otherwise(first, second):
        words.append(f"were {OTHERWISE}: {'; '.join(made)}")
    return words + _other_fingerprints(first, second)


def _other_fingerprints(first: LoadedRun, second: LoadedRun) -> list[str]:
    """In words, where the machines of two runs had other fingerprints, or one had none."""
    a, b = ((run.settings.get("hardware") or {}).get("fingerprint") or {} for run in (first, second))
    if bool(a) != bool(b):
        return [
            f"may not make the same of the same actions: the machine of the {'second' if a else 'first'} has "
            "no fingerprint; bomb doctor --fingerprint takes one"
        ]
    words = []
    for backend in dict.fromkeys((*a, *b)):
        for part in ("states", "pictures"):
            one, other = (prints.get(backend, {}).get(part) for prints in (a, b))
            if one and other and one != other:
                words.append(f"carry different fingerprints: {part} of {backend} {one[:8]} and {other[:8]}")
    return words


def _sides(firsts: Sequence[str], seconds: Sequence[str]) -> str:
    if len(firsts) == len(seconds) == 1:
        return f"{firsts[0]} and {seconds[0]}"
    return f"{listed(firsts)} on the one side and {listed(seconds)} on the other"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: ``a, b and c``."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def any_not_alike(runs: Sequence[LoadedRun]) -> tuple[str, ...]:
    """What any two of several runs differ in, each said once."""
    found: Iterable[str] = (words for pair in combinations(runs, 2) for words in not_alike(*pair))
    return tuple(dict.fromkeys(found))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
