"""Many episodes in a few numbers, each with its interval; the unit is the seed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bomb.explanation.counterfactual import by_distance
from bomb.explanation.moments import STAGES
from bomb.explanation.regions import REGIONS
from bomb.statistics import Estimate, mean, rate, undefined

ZERO = 1e-9  # an effect below is none


def aggregate(episodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each simulator, perturbation and stage.

    Returns:
        Dictionaries with ``backend``, ``perturbation``, ``stage``, ``episodes``, and estimates. By span:
        ``spans``, mean E, and ``words_matter``, share of seeds in which hiding it changed anything. By camera
        and region: ``shares`` of the effect, ``areas``, ``first``, share of seeds in which one of the three
        strongest patches shows it, and ``chance``, the same of patches drawn blindly. By camera:
        ``nuisance``. By thing: ``scenes``, each ``scene`` and ``painted``. Of swapped words: ``g``,
        ``reachable``, ``g_by_distance``.
    """
    found = []
    places = dict.fromkeys((one["backend"], one["perturbation"]) for one in episodes)
    for backend, perturbation in places:
        here = [one for one in episodes if (one["backend"], one["perturbation"]) == (backend, perturbation)]
        for stage in STAGES:
            moments = [m for one in here for m in one["moments"] if m["stage"] == stage]
            if moments:
                found.append(
                    {
                        "backend": backend,
                        "perturbation": perturbation,
                        "stage": stage,
                        "episodes": len(moments),
                        **_stage(moments),
                    }
                )
    return found


def _stage(moments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    spans = dict.fromkeys(span["name"] for moment in moments for span in moment["spans"])
    cameras = dict.fromkeys(camera for moment in moments for camera in moment["patches"])
    things = dict.fromkeys(scene["what"] for moment in moments for scene in moment["scenes"])
    swapped = [moment["swaps"] for moment in moments if moment.get("swaps")]
    return {
        "spans": {
            name: _mean(
                span["effect"] for moment in moments for span in moment["spans"] if span["name"] == name
            )
            for name in spans
        },
        "words_matter": {
            name: _share(
                abs(span["effect"]) > ZERO
                for moment in moments
                for span in moment["spans"]
                if span["name"] == name
            )
            for name in spans
        },
        "shares": _by_camera(moments, cameras, "shares"),
        "areas": _by_camera(moments, cameras, "areas"),
        "first": _each_region(moments, cameras, _shows, _share),
        "chance": _each_region(moments, cameras, _chance, _mean),
        "nuisance": {
            camera: _mean(
                moment["patches"][camera]["nuisance"]
                for moment in moments
                if camera in moment["patches"] and moment["patches"][camera]["nuisance"] is not None
            )
            for camera in cameras
        },
        "scenes": {
            what: {
                kind: _mean(
                    scene[kind] for moment in moments for scene in moment["scenes"] if scene["what"] == what
                )
                for kind in ("scene", "painted")
            }
            for what in things
        },
        "g": _mean(np.mean([one["g"] for one in swaps]) for swaps in swapped),
        "reachable": _mean(
            np.mean(values)
            for swaps in swapped
            if (values := [one["reachable"] for one in swaps if one["reachable"] is not None])
        ),
        "g_by_distance": _distances(swapped),
    }


def _by_camera(moments: Sequence[Mapping[str, Any]], cameras: Iterable[str], key: str) -> dict[str, Any]:
    return {
        camera: {
            name: _mean(
                moment["patches"][camera][key][name]
                for moment in moments
                if camera in moment["patches"] and moment["patches"][camera][key] is not None
            )
            for name in REGIONS
        }
        for camera in cameras
    }


def _each_region(
    moments: Sequence[Mapping[str, Any]],
    cameras: Iterable[str],
    value: Callable[[Mapping[str, Any], str], float],
    statistic: Callable[[Iterable[Any]], Estimate],
) -> dict[str, Any]:
    return {
        camera: {
            name: statistic(value(m["patches"][camera], name) for m in moments if camera in m["patches"])
            for name in REGIONS
        }
        for camera in cameras
    }


def _shows(patches: Mapping[str, Any], name: str) -> bool:
    """Whether one of the strongest patches shows a region."""
    return any(patches["shown"][k] == name for k in patches["first"])


def _chance(patches: Mapping[str, Any], name: str) -> float:
    """How likely as many patches as are first, drawn blindly, show a region at least once."""
    total, drawn = len(patches["shown"]), len(patches["first"])
    others = total - sum(shown == name for shown in patches["shown"])
    missed = np.prod([max(others - k, 0) / (total - k) for k in range(drawn)]) if drawn else 1.0
    return float(1 - missed)


def _distances(swapped: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Estimate]:
    by_seed: dict[str, list[float]] = {}
    for swaps in swapped:
        for name, values in by_distance(swaps).items():
            if values:
                by_seed.setdefault(name, []).append(float(np.mean(values)))
    return {name: _mean(by_seed[name]) for name in by_distance(()) if name in by_seed}


def _mean(values: Iterable[float]) -> Estimate:
    return _estimated(values, mean)


def _share(values: Iterable[bool]) -> Estimate:
    return _estimated(values, rate)


def _estimated(values: Iterable[Any], statistic: Callable[[list[Any]], Estimate]) -> Estimate:
    found = list(values)
    return statistic(found) if found else undefined("no moment has it")
