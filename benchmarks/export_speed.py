"""What writing costs beside simulating and drawing, and whether memory grows with the length of an export.

    python -m benchmarks.export_speed --json export.json
    python -m benchmarks.export_speed --rounds 0 --frames 100000 --dataset DIR --made-up --json memory.json

The first question is asked with one 256 x 256 camera, in turn: simulate so many demonstrations, draw them,
draw and write them. Processor time counts as well as the clock, for encoders have threads. The second exports
pictures of 16 x 16 in a process of its own and looks at its resident memory while shards appear. Without
``--dataset`` demonstrations are collected for it; ``--made-up`` leaves out drawing, which takes most of the
time.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import core
from benchmarks.timing import write
from bomb.collecting.collecting import collect
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.demonstrations.settings import CollectionSettings
from bomb.exports import writer_class
from bomb.exports.plan import make_plan
from bomb.exports.settings import ExportSettings
from bomb.exports.shards import ShardJob, ShardMaker
from bomb.rollouts.rollout import replay

WRITING = 0.15  # share of simulating and drawing that writing may cost
MEMORY_GB = 1.5
CASES = (("lerobot", "video"), ("lerobot", "png"), ("lerobot-v2.1", "png"))


def demonstrations(path: Path, backend: str, episodes: int) -> Dataset:
    """A dataset of the expert."""
    collect(CollectionSettings(backends=(backend,), split="ci", held_out=()), episodes, path)
    return Dataset.open(path)


def writing_cost(backend: str, episodes: int, rounds: int) -> dict:
    """Seconds of each part, the least of several rounds, and the share that writing adds."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = demonstrations(Path(folder) / "dataset", backend, episodes)
        frames = sum(demonstration.length for demonstration in dataset)
        env = core.make_task(backend=backend, cameras=(), split="ci", stop_on_success=True)
        renderer = Renderer(dataset.settings, backend=backend)
        makers, parts = {}, Path(folder) / "parts"
        for format, pictures in CASES:
            settings = ExportSettings(format=format, backend=backend, pictures=pictures)
            plan = make_plan(dataset, settings, writer_class(format).vectors)
            makers[f"{format} {pictures}"] = ShardMaker(dataset, settings, math.inf), plan.episodes

        def simulate() -> None:
            for demonstration in dataset:
                replay(env, demonstration.seed, demonstration.actions)

        def draw() -> None:
            for demonstration in dataset:
                for _ in renderer.frames(demonstration):
                    pass

        calls: dict[str, Callable[[], object]] = {"simulate": simulate, "draw": draw}
        for name, (maker, plans) in makers.items():
            calls[name] = lambda maker=maker, plans=plans: maker(ShardJob(parts, plans))
        times = in_turn(calls, rounds)
        for maker, _ in makers.values():
            maker.close()
        renderer.close()
        env.close()
    base = {kind: times["simulate"][kind] + times["draw"][kind] for kind in ("wall_s", "cpu_s")}
    return {
        "frames": frames,
        "times": times,
        "share": {
            name: {kind: (times[name][kind] - times["draw"][kind]) / base[kind] for kind in base}
            for name in makers
        },
    }


def in_turn(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Seconds on the clock and of processors, the least of so many rounds; one more goes first."""
    times = {name: np.full((rounds + 1, 2), np.inf) for name in calls}
    for k in range(rounds + 1):
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            times[name][k] = time.perf_counter() - wall, time.process_time() - cpu
    return {
        name: dict(zip(("wall_s", "cpu_s"), values[1:].min(axis=0).tolist(), strict=True))
        for name, values in times.items()
    }


# Exports with pictures of noise in place of drawn ones: nothing else is different.
MADE_UP = """
import sys
import numpy as np
import bomb.exports.shards as shards
from bomb.cli import main
from bomb.exports.frames import ExportFrame

noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

def frames(renderer, demonstration, plan, settings):
    for k in range(plan.length):
        yield ExportFrame(images={"head": np.roll(noise, k, axis=1)}, columns={})

shards.drawn_frames = frames
sys.exit(main(sys.argv[1:]))
"""


def memory(dataset: Path, args: argparse.Namespace) -> dict:
    """Resident memory of an exporting process by frames in place; stopped at so many, or after a time."""
    frames, minutes = args.frames, args.minutes
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "export"
        words = f"export {dataset} --format lerobot --out {out} --pictures {args.pictures} "
        words += f"--backend {args.backend} --image-size {64 if args.made_up else 16}"
        code = ["-c", MADE_UP] if args.made_up else ["-m", "bomb"]
        process = subprocess.Popen([sys.executable, *code, *words.split()], stderr=subprocess.DEVNULL)
        seen, begin = [], time.perf_counter()
        while process.poll() is None:
            time.sleep(0.5)
            seen.append((frames_in(out), resident(process.pid)))
            if seen[-1][0] >= frames or time.perf_counter() - begin > 60 * minutes:
                process.terminate()
                break
        process.wait()
        seconds = time.perf_counter() - begin
        reached = frames_in(out)
    marks = [next(gb for n, gb in seen if n >= share * reached) for share in (0.1, 0.25, 0.5, 0.75, 0.95)]
    return {
        "frames": reached,
        "seconds": seconds,
        "peak_gb": max(gb for _, gb in seen),
        "gb_at_10_25_50_75_95_percent": [round(gb, 3) for gb in marks],
    }


def frames_in(out: Path) -> int:
    """How many are in place."""
    try:
        return json.loads((out / "meta" / "info.json").read_text())["total_frames"]
    except (OSError, ValueError):
        return 0


def resident(process: int) -> float:
    """Resident memory of a process (GB); 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) / 1e6 if lines else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=6, help="demonstrations that are timed, default 6")
    parser.add_argument("--rounds", type=int, default=3, help="how often, default 3; 0: not at all")
    parser.add_argument("--frames", type=int, default=8000, help="of the export whose memory is watched")
    parser.add_argument("--dataset", type=Path, help="demonstrations for it; default: collected")
    parser.add_argument("--pictures", default="video", help="of that export: video or png")
    parser.add_argument("--minutes", type=float, default=10.0, help="that it may take, default 10")
    parser.add_argument("--backend", default="robotwin", help="that draws it; default robotwin")
    parser.add_argument("--made-up", action="store_true", help="noise of 64 x 64 instead of drawn pictures")
    parser.add_argument("--json", type=Path, help="file for the results")
    args = parser.parse_args()
    results: dict = {}
    missed = False
    for backend in core.list_backends() if args.rounds else ():
        cost = writing_cost(backend, args.episodes, args.rounds)
        results[backend] = cost
        times = cost["times"]
        print(f"{backend}: {cost['frames']} frames, ms each:", end=" ")
        print(", ".join(f"{name} {1e3 * t['wall_s'] / cost['frames']:.1f}" for name, t in times.items()))
        for name, share in cost["share"].items():
            print(
                f"  writing {name}: {share['wall_s']:+.1%} by the clock, {share['cpu_s']:+.1%} of processors"
            )
            missed |= share["cpu_s"] > WRITING  # the clock also counts what others do on the machine
    if args.frames:
        with tempfile.TemporaryDirectory() as folder:
            path = args.dataset
            if path is None:
                path = Path(folder) / "dataset"
                demonstrations(path, core.list_backends()[0], -(-args.frames // 65))
            results["memory"] = memory(path, args)
        print(json.dumps(results["memory"]))
        missed |= results["memory"]["peak_gb"] > MEMORY_GB
    write(results, args.json)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
