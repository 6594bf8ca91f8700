"""The page of ``bomb demo``."""

from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from bomb.demo.results import DemoResults
from bomb.disk.files import write_text
from bomb.machine.versions import versions
from bomb.pages.page import Page, Raw
from bomb.statistics import formats

_number = partial(formats.significant, missing=formats.OPEN)
_CLASSES = {"passes": "good", "fails": "bad"}

# Rows of the parity table in words, and on which side of its bound each must lie.
_ROWS = {
    "arm_rms_mm": ("tool path, RMS difference, mm", "≤"),
    "expert_success": ("the expert places", "≥"),
    "replay_agreement": ("replayed actions end alike", "≥"),
    "near_miss_kappa_lifted": ("near misses, kappa of lifted", "≥"),
    "near_miss_kappa_placed": ("near misses, kappa of placed", "≥"),
    "grasp_envelope_iou": ("grasp envelopes, IoU", "≥"),
    "rest_offset_median_mm": ("resting place after replay, median, mm", "≤"),
    "rest_offset_p95_mm": ("resting place after replay, 95th percentile, mm", "≤"),
    "scorer_identical": ("moved states measure the same", "≥"),
    "board_iou": ("pictures: board, IoU", "≥"),
    "stone_iou": ("pictures: stones, IoU", "≥"),
    "centroid_px": ("pictures: centroids, pixels", "≤"),
    "depth_mm": ("pictures: depth, mm", "≤"),
    "colour_mad": ("pictures: colour difference", "≤"),
    "ssim": ("pictures: structural similarity", "≥"),
    "colour_mad_masks": ("pictures: colour difference inside masks", "≤"),
    "ssim_masks": ("pictures: structural similarity inside masks", "≥"),
}


def write_page(file: Path, results: DemoResults, parity_episodes: int) -> None:
    """Writes the page with everything embedded."""
    page = Page("BOMB: two simulators, one board, one score")
    page.paragraph(
        "A Franka Panda places Go stones on a 5 × 5 board, as told in words. The same episodes run in "
        f"{' and in '.join(results.expert)}; one checker, which sees only shapes and poses, scores them all. "
        f"{_players(results)}"
    )
    for note in results.notes:
        page.paragraph(note, kind="note")
    if results.video is not None:
        page.heading("One episode in both")
        page.video(results.video[0], results.video[1])
    page.heading(
        "The scripted expert" if not results.policy else "The scripted expert, and a policy that looks"
    )
    head = ["simulator", "episodes", "placed", "95% interval", "median distance", "reasons of failure"]
    page.table(
        ["player", "is told or shown", *head],
        [
            [player, told(result), *_row(name, result)]
            for player, there in (("expert", results.expert), (results.policy_name or "", results.policy))
            for name, result in there.items()
        ],
    )
    if results.policy:
        page.paragraph(
            "Both play the same episodes, from the same seed on. What policies reach under perturbations "
            "stands in docs/results.md."
        )
    if results.parity is not None:
        page.heading("How far the simulators agree")
        page.paragraph(
            f"A sample of {parity_episodes} episodes, far too few to decide most rows: the intervals "
            "say what is known so far. The full comparison is `make parity-full`."
        )
        page.table(
            ["measure", "value", "95% interval", "n", "bound", "verdict"],
            [row for name, value in results.parity.items() for row in parity_rows(name, value)],
        )
    if results.sheets:
        page.heading("The same moments side by side")
        for picture, words in results.sheets:
            page.picture(picture, words)
    if results.cameras is not None:
        page.heading("Every camera, at the moment of the grasp")
        page.picture(
            results.cameras, "One row per simulator. Policies see `head` unless they ask for others."
        )
    page.heading("Again, and more")
    page.code(
        "make demo                                            # this page\n"
        "bomb view --seed 3 --out runs/seed3.mp4              # any episode, side by side\n"
        "bomb evaluate --policy random --backend mujoco --out runs/random\n"
        "bomb doctor                                          # what this machine can do"
    )
    words = ", ".join(f"{name} {version}" for name, version in versions().items() if version)
    page.paragraph(f"Made with {words}.")
    write_text(file, page.html())


def _players(results: DemoResults) -> str:
    expert = "The scripted expert knows the true positions"
    if not results.policy:
        return f"{expert}; it is the only player here."
    return (
        f"{expert}; `{results.policy_name}` gets nothing but pictures, its own arm's position and the words, "
        "as every policy does that is tested."
    )


def told(result: dict[str, Any]) -> str:
    """What the player of a result was told or shown."""
    if result.get("privileged"):
        return "the true state"
    cameras = result.get("cameras") or []
    if not cameras:
        return "nothing but words and its own arm"
    height, width = result["image_size"]
    return f"pictures of {' and '.join(cameras)}, {height} × {width}"


def _row(name: str, result: dict[str, Any]) -> list[str]:
    low, high = result["interval"]
    median = result["success_distance_mm"]["value"]
    reasons = ", ".join(f"{count} × {formats.words(reason)}" for reason, count in result["reasons"].items())
    return [
        name,
        str(result["n"]),
        formats.share(result["success_rate"], digits=1, missing=""),
        formats.share_interval((low, high)),
        formats.fixed(median, digits=2, unit="mm", missing=""),
        reasons or "none",
    ]


def parity_rows(key: str, value: object, part: str = "") -> list[list[str]]:
    """Rows of one entry of the parity table; an entry per backend is one row each, other entries none."""
    if not isinstance(value, dict):
        return []
    if "value" not in value:
        return [row for inner, entry in value.items() for row in parity_rows(key, entry, inner)]
    words, side = _ROWS.get(key, (key.replace("_", " "), ""))
    low, high = value.get("interval") or (None, None)
    verdict = str(value.get("verdict", ""))
    notes = "".join(f"<small>{escape(note)}</small>" for note in value.get("notes", []))
    return [
        [
            f"{words}, {part}" if part else words,
            _number(value["value"]),
            formats.interval((low, high), formats.significant),
            _number(value.get("n")),
            f"{side} {_number(value.get('bound'))}",
            Raw(f'<span class="{_CLASSES.get(verdict, "open")}">{escape(verdict)}</span>{notes}'),
        ]
    ]
