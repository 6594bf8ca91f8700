"""Instructions of ``env.step`` and of the bare engine: what another program's load does not change.

Valgrind's callgrind counts them in a process of its own, which plays an episode as ``step_overhead`` does;
its start is not counted. Valgrind hides AVX-512 from the process, so they are those of a plainer one.

    python -m benchmarks.instructions mujoco
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

_TOOLS = ("valgrind", "callgrind_control")


def missing() -> str | None:
    """What this machine lacks to count instructions, or None."""
    absent = [tool for tool in _TOOLS if shutil.which(tool) is None]
    return f"{', '.join(absent)} not installed (Debian, Ubuntu: valgrind)" if absent else None


def counted(backend: str) -> dict[str, float]:
    """Instructions of a step in the environment and bare, and their ratio, over one episode of the expert.

    Raises:
        RuntimeError: if the process that counts fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        dumps = Path(folder) / "counts"
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                "--instr-atstart=no",
                f"--callgrind-out-file={dumps}",
                sys.executable,
                "-m",
                __spec__.name,
                backend,
                "--counted",
            ],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        files = sorted(Path(folder).glob("counts.*"), key=lambda file: int(file.suffix[1:]))
        if done.returncode or len(files) != 2:
            raise RuntimeError(f"counting the instructions of {backend} failed: {done.stderr[-500:]}")
        env, bare = (_total(file) for file in files)
        steps = json.loads(done.stdout.splitlines()[-1])["steps"]
    return {"ratio": env / bare, "env": env / steps, "bare": bare / steps}


def _total(dump: Path) -> int:
    with dump.open() as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("summary:"))


def _control(*words: str) -> None:
    subprocess.run(["callgrind_control", *words, str(os.getpid())], check=True, capture_output=True)


def _count(call: Callable[[], None], prepare: Callable[[], None]) -> None:
    """Dumps the count of ``call``, after it has run once to warm up."""
    prepare()
    call()
    prepare()
    _control("--zero")
    call()
    _control("--dump")


def play(backend: str) -> None:
    """Runs under callgrind: the same episode through ``env.step``, then bare."""
    import core
    from benchmarks.step_overhead import bare_loop, record

    env = core.make_task(backend=backend, cameras=(), split="calibration")
    env.reset(seed=0)
    state = env.episode.state
    actions, targets = record(env, state)
    bare = bare_loop(env)

    def act() -> None:
        for action in actions:
            env.step(action)

    def replay() -> None:
        for rows in targets:
            bare(rows)

    _control("--instr=on")
    _count(act, partial(env.debug.restart, state))
    _count(replay, partial(env.debug.backend.write_state, state))
    _control("--instr=off")
    print(json.dumps({"steps": len(actions)}), flush=True)


def main() -> int:
    if "--counted" in sys.argv:
        play(sys.argv[1])
        return 0
    if (lack := missing()) is not None:
        print(lack, file=sys.stderr)
        return 1
    print(json.dumps(counted(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
