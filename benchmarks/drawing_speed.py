"""What drawing a frame costs, by engine, size and perturbation, and the first picture of a process.

python -m benchmarks.drawing_speed --frames 40 --json drawing.json --write docs/demonstrations.md

Each cell is a process of its own. It makes an environment and draws once: that is the first picture. Then it
draws moments of one demonstration, all different, and the time of a frame is their mean; its interval is a
bootstrap over frames. Times are processor seconds of all threads: other work on the machine counts less.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import core
from bomb.machine.progress import progress
from bomb.statistics import mean

SPLIT, SEED = "calibration", 3
BEGIN, END = "<!-- drawing: begin -->", "<!-- drawing: end -->"
SIDES = (128, 256)
KNOBS = ("clean", "visual:3")
MODALITIES = {"colour": ("rgb",), "colour, depth, segmentation": ("rgb", "depth", "segmentation")}


def cell(backend: str, side: int, knobs: str, modalities: tuple[str, ...], frames: int) -> dict:
    """Processor seconds of the first picture and of later ones, measured in this process."""
    from bomb.collecting.recording import record_episode
    from bomb.policies.expert import Expert

    options = {"backend": backend, "split": SPLIT, "perturbations": None if knobs == "clean" else knobs}
    played = core.make_task(cameras=(), stop_on_success=True, **options)
    made = record_episode(played, Expert(), SEED)
    played.close()
    begin, wall = time.process_time(), time.perf_counter()
    env = core.make_task(image_size=side, modalities=modalities, **options)
    env.begin(seed=SEED)
    env.observe()
    first, first_wall = time.process_time() - begin, time.perf_counter() - wall
    later = []
    for t in np.linspace(0, made.length, frames, endpoint=False).astype(int):
        env.show(made.world(int(t)), period=int(made.periods[t]))
        begin = time.process_time()
        env.observe()
        later.append(time.process_time() - begin)
    env.close()
    return {"first_s": first, "first_wall_s": first_wall, "frame_s": mean(later).to_dict()}


def table(results: dict[str, dict], backends: list[str]) -> str:
    """The results as a table in Markdown."""
    head = [f"{name}: a frame, ms | first picture of a process, s" for name in backends]
    lines = [f"| picture | drawn | {' | '.join(head)} |", "|---|---|" + "---|---|" * len(backends)]
    for side in SIDES:
        for knobs in KNOBS:
            for words in MODALITIES:
                row = []
                for name in backends:
                    found = results.get(key(name, side, knobs, words))
                    if found is None:
                        row += ["not measured", ""]
                        continue
                    frame = found["frame_s"]
                    low, high = (1e3 * end for end in frame["interval"])
                    row += [f"{1e3 * frame['value']:.0f} [{low:.0f}, {high:.0f}]", f"{found['first_s']:.1f}"]
                lines.append(f"| {side} x {side}, {knobs} | {words} | {' | '.join(row)} |")
    return "\n".join(lines)


def key(*parts: object) -> str:
    """Of a cell."""
    return "/".join(map(str, parts))


def main() -> int:
    """Measures every cell, prints the table and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cells", type=int, metavar="N", help="measure N cells more, and leave out what is missing"
    )
    parser.add_argument("--frames", type=int, default=40, help="of each cell")
    parser.add_argument("--json", type=Path, help="file for the results; cells in it are not measured again")
    parser.add_argument("--write", type=Path, metavar="DOC", help="replace the table in this document")
    parser.add_argument("--cell", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cell is not None:
        backend, side, knobs, words = args.cell
        print(json.dumps(cell(backend, int(side), knobs, MODALITIES[words], args.frames)))
        return 0
    backends = core.list_backends()
    results = json.loads(args.json.read_text()) if args.json is not None and args.json.exists() else {}
    cells = [
        (b, side, knobs, words) for b in backends for side in SIDES for knobs in KNOBS for words in MODALITIES
    ]
    missing = [asked for asked in cells if key(*asked) not in results]
    for asked in progress(missing[: args.cells], unit="cell"):
        command = [sys.executable, "-m", "benchmarks.drawing_speed", "--frames", str(args.frames), "--cell"]
        run = subprocess.run([*command, *map(str, asked)], capture_output=True, text=True, check=True)
        results[key(*asked)] = json.loads(run.stdout.splitlines()[-1])
        if args.json is not None:
            args.json.write_text(json.dumps(results, indent=2) + "\n")
    text = (
        f"Processor time of all threads, `head` camera, {args.frames} moments of one demonstration; "
        f"95% intervals of the mean frame:\n\n{table(results, backends)}"
    )
    print(text)
    if args.write is not None:
        head, rest = args.write.read_text().split(BEGIN)
        args.write.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
