"""The page of ``bomb explain``: what a policy lives on, in numbers over episodes and moment by moment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.disk.files import write_text
from bomb.explanation.counterfactual import by_distance
from bomb.explanation.drawing import heat_map, patch_map, restoration_chart
from bomb.explanation.grids import Grid
from bomb.explanation.occluders import OCCLUDERS
from bomb.explanation.regions import OBJECTS, REGIONS
from bomb.explanation.spans import STUDY
from bomb.pages.page import SVG, Page
from bomb.pictures.images import captioned, grid, write_png
from bomb.statistics import Estimate
from core.world.temporary import temporary_folder

LEAST_WIDTH = 240  # pixels of a picture on the page
SHOWN = 6  # episodes with all their maps; the numbers are of all
ORDER = (*OBJECTS, *(name for name in REGIONS if name not in OBJECTS))


def write_page(
    out: Path,
    header: Mapping[str, Any],
    episodes: Sequence[Mapping[str, Any]],
    totals: Sequence[Mapping[str, Any]],
) -> Path:
    """Writes ``out/explanation.html`` and returns it.

    Raises:
        BombError: if matplotlib is not installed.
        FileError: if a picture is missing.
    """
    settings = header["settings"]
    page = Page(f"Why it acts so: {settings['policy']}", contents=True)
    _how(page, header, episodes)
    _totals(page, totals)
    page.heading("Moment by moment")
    page.paragraph(
        f"The first {min(SHOWN, len(episodes))} of {len(episodes)} episodes. Shades are relative: in each "
        "map the strongest patch has the full colour, red where hiding it took away from what the policy "
        "wants, blue where it added."
    )
    for episode in episodes[:SHOWN]:
        _episode(page, out, header, episode)
    file = out / "explanation.html"
    write_text(file, page.html())
    return file


def maps(folder: Path, moment: Mapping[str, Any], camera: str) -> list[npt.NDArray[np.uint8]]:
    """What was seen, E of its patches, the same interpolated, and the regions; uint8[H, W, 3] each.

    Args:
        folder: of the episode's pictures.
        moment: of the episode.
        camera: whose picture.
    """
    patches = moment["patches"][camera]
    picture, effects, cut = _png(_file(folder, moment, camera)), np.array(patches["effects"]), _grid(patches)
    regions = _png(_file(folder, moment, f"{camera}_regions"))
    return [picture, patch_map(picture, effects, cut), heat_map(picture, effects, cut), regions]


def _how(page: Page, header: Mapping[str, Any], episodes: Sequence[Mapping[str, Any]]) -> None:
    settings = header["settings"]
    asked = sum(one["forwards"] for one in episodes)
    page.paragraph(
        "Each moment: the policy decides once, that action is frozen, one thing is changed, and "
        f"E = S(clean) - S(changed). S is {header['score']}. Patches are painted in the uint8 picture with "
        f"{header['occluder_words']}; {header['words_hidden_by']}. Who plays: "
        + ("the policy itself." if settings["path"] == "own" else "the expert, and the policy is asked.")
        + f" {len(episodes)} episodes, {asked} questions."
    )


def _totals(page: Page, totals: Sequence[Mapping[str, Any]]) -> None:
    page.heading("Over episodes")
    page.paragraph("Means over seeds with their 95% intervals; the unit is the seed.")
    for place in dict.fromkeys((one["backend"], one["perturbation"]) for one in totals):
        here = [one for one in totals if (one["backend"], one["perturbation"]) == place]
        page.subheading(f"{place[0]}, {place[1]}")
        _table_of_words(page, here)
        for camera in here[0]["shares"]:
            _table_of_regions(page, here, camera)
        _table_of_scenes(page, here)
        if any(one["g"].value is not None for one in here):
            _table_of_swaps(page, here)


def _table_of_words(page: Page, here: Sequence[Mapping[str, Any]]) -> None:
    names = [name for name in STUDY if any(name in one["spans"] for one in here)]
    page.table(
        ["stage", "n", *names],
        [
            [one["stage"], str(one["episodes"]), *(_number(one["spans"].get(name)) for name in names)]
            for one in here
        ],
        "E of hiding words",
    )


def _table_of_regions(page: Page, here: Sequence[Mapping[str, Any]], camera: str) -> None:
    page.table(
        ["stage", "n", *ORDER, "nuisance"],
        [
            [
                one["stage"],
                str(one["episodes"]),
                *(
                    f"{_number(one['shares'][camera][name])} / {_short(one['areas'][camera][name])}"
                    for name in ORDER
                ),
                _number(one["nuisance"][camera]),
            ]
            for one in here
        ],
        f"Share of the positive effect of patches of {camera} by what they show / its share of the area. "
        "Nuisance is what falls on other stones, arm and background.",
    )
    page.table(
        ["stage", "n", *(name for name in ("stone", "target", "gripper"))],
        [
            [
                one["stage"],
                str(one["episodes"]),
                *(
                    f"{_number(one['first'][camera][name])} / {_short(one['chance'][camera][name])}"
                    for name in ("stone", "target", "gripper")
                ),
            ]
            for one in here
        ],
        f"Share of seeds in which one of the three strongest patches of {camera} shows it / chance of "
        "patches drawn blindly.",
    )


def _table_of_scenes(page: Page, here: Sequence[Mapping[str, Any]]) -> None:
    things = list(dict.fromkeys(what for one in here for what in one["scenes"]))
    page.table(
        ["stage", *(f"{what}: {how}" for what in things for how in ("scene", "painted"))],
        [
            [
                one["stage"],
                *(
                    _number(one["scenes"].get(what, {}).get(kind))
                    for what in things
                    for kind in ("scene", "painted")
                ),
            ]
            for one in here
        ],
        "E of taking a thing out of the simulator's scene, and of painting over the same pixels",
    )


def _table_of_swaps(page: Page, here: Sequence[Mapping[str, Any]]) -> None:
    bins = [name for name in by_distance(()) if any(name in one["g_by_distance"] for one in here)]
    page.table(
        ["stage", "g", *(f"g, {name}" for name in bins), "g by what is reachable"],
        [
            [
                one["stage"],
                _number(one["g"]),
                *(_number(one["g_by_distance"].get(name)) for name in bins),
                _number(one["reachable"]),
            ]
            for one in here
        ],
        "Following index of swapped coordinates: 1 follows the words, 0 ignores them. A chunk ends nearer "
        "than the target; the last column divides by what it can reach.",
    )


def _episode(page: Page, out: Path, header: Mapping[str, Any], episode: Mapping[str, Any]) -> None:
    ended = (
        "" if episode["success"] is None else (", placed" if episode["success"] else f", {episode['reason']}")
    )
    page.subheading(f"{episode['backend']}, {episode['perturbation']}, seed {episode['seed']}{ended}")
    page.paragraph(f"“{episode['words']}”")
    folder = out / "episodes" / episode["name"]
    for moment in episode["moments"]:
        for camera, patches in moment["patches"].items():
            page.picture(
                _bytes([maps(folder, moment, camera)]),
                f"{moment['stage']}, step {moment['step']}, {camera}: what was seen; E of each patch "
                f"(strongest {max(patches['effects']):.3g}); interpolated; regions. {_shares_words(patches)}",
            )
        with page.details(f"{moment['stage']}: words, scenes, swaps, inside"):
            _details(page, folder, moment)


def _details(page: Page, folder: Path, moment: Mapping[str, Any]) -> None:
    with page.row():
        page.table(
            ["words hidden", "text", "E", *(moment["spans"][0]["groups"] if moment["spans"] else ())],
            [
                [
                    one["name"],
                    one["text"],
                    _digits(one["effect"]),
                    *map(_digits, one["groups"].values()),
                ]
                for one in moment["spans"]
            ],
        )
        page.table(
            ["without", "in the scene", "painted", "pixels"],
            [
                [
                    one["what"],
                    _digits(one["scene"]),
                    _digits(one["painted"]),
                    str(sum(one["pixels"].values())),
                ]
                for one in moment["scenes"]
            ],
        )
        if moment.get("swaps"):
            page.table(
                ["asked for instead", "away, mm", "end point moved, mm", "g", "by what is reachable"],
                [
                    [
                        f"({one['row']}, {one['column']})",
                        f"{one['distance'] * 1e3:.0f}",
                        f"{one['moved'] * 1e3:.1f}",
                        f"{one['g']:.2f}",
                        "" if one["reachable"] is None else f"{one['reachable']:.2f}",
                    ]
                    for one in moment["swaps"]
                ],
            )
    scenes = sorted(folder.glob(f"{moment['stage'].replace(' ', '_')}_*_without_*.png"))
    if scenes:
        named = [captioned(_png(file), file.stem.partition("_without_")[2]) for file in scenes]
        page.picture(_bytes([named]), "The same state drawn without a thing.")
    for camera, patches in moment["patches"].items():
        if "sensitivity" in patches:
            _sensitivity(page, folder, moment, camera, patches)
    for part in moment["inside"]:
        _inside(page, part)


def _sensitivity(
    page: Page, folder: Path, moment: Mapping[str, Any], camera: str, patches: Mapping[str, Any]
) -> None:
    picture, cut = _png(_file(folder, moment, camera)), _grid(patches)
    row = [
        captioned(patch_map(picture, np.array(one["effects"]), cut), name)
        for name, one in patches["sensitivity"].items()
    ]
    words = "; ".join(
        f"{name} ({OCCLUDERS[name]}): rank correlation with the map above "
        + ("undefined" if one["rank"] is None else f"{one['rank']:.2f}")
        for name, one in patches["sensitivity"].items()
    )
    page.picture(_bytes([row]), f"The map of {camera} under three occluders. {words}.")


def _inside(page: Page, part: Mapping[str, Any]) -> None:
    words = (
        f"Corrupted by {part['by']} ({part['corrupted']}): S clean {part['clean']:.4g}, corrupted "
        f"{part['corrupted_score']:.4g}, gap {part['gap']:.4g}."
    )
    if all(entry["R"] is None for entry in part["heads"]):
        page.paragraph(f"{words} The gap is too small to divide by: there is no R.")
        return
    estimates = any(not entry["exact"] for entry in (*part["layers"], *part["heads"]))
    dots = " Dots are first-order estimates, not measured." if estimates else ""
    with page.columns("28rem"):
        for title, key, across in (
            ("Contribution of layers", "layers", "positions"),
            ("Heads", "heads", "head"),
        ):
            chart = restoration_chart(title, part[key], across, f"{words}{dots}")
            page.picture(chart.data, chart.caption, alt=chart.alt, kind=SVG)


def _shares_words(patches: Mapping[str, Any]) -> str:
    if patches["shares"] is None:
        return "No patch mattered."
    told = ", ".join(f"{name} {100 * patches['shares'][name]:.0f}%" for name in ORDER)
    return f"Share of effect: {told}; nuisance {100 * patches['nuisance']:.0f}%."


def _grid(patches: Mapping[str, Any]) -> Grid:
    plain = patches["grid"]
    return Grid(rows=plain["rows"], cols=plain["cols"], box=tuple(plain["box"]))


def _file(folder: Path, moment: Mapping[str, Any], name: str) -> Path:
    return folder / f"{moment['stage'].replace(' ', '_')}_{name}.png"


def _png(file: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def _bytes(rows: Sequence[Sequence[np.ndarray]]) -> bytes:
    times = max(1, round(LEAST_WIDTH / rows[0][0].shape[1]))
    rows = [[picture.repeat(times, 0).repeat(times, 1) for picture in row] for row in rows]
    with temporary_folder("page") as folder:
        write_png(folder / "picture.png", grid(rows))
        return (folder / "picture.png").read_bytes()


def _number(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return _digits(estimate.value)
    return f"{_digits(estimate.value)} [{_digits(estimate.low)}, {_digits(estimate.high)}]"


def _short(estimate: Estimate) -> str:
    return "–" if estimate.value is None else _digits(estimate.value)


def _digits(value: float) -> str:
    """Three digits behind the point; what is smaller is 0 for the eye, and exact in the JSON."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
