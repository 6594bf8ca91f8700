"""Where people run it: without a home, from a notebook, under odd names, where SIGTERM comes."""

import json
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bomb.machine import diagnosis
from bomb.policies.making import make_policy, policy_class
from bomb.processes import main_program
from bomb.report.tables import table
from bomb.report.tidy import csv_text
from core.errors import OptionError
from core.world import cache, temporary
from core.world.cache import cache_folder
from tests.conftest import PATIENCE_S
from tests.evaluation.conftest import ONE
from tests.exports.conftest import make_dataset

STRANGER = 12345  # a number that no user has
ROOT = Path(__file__).resolve().parents[2]
PATHS = {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


def bomb(
    *words: object, env: dict | None = None, cwd: Path = ROOT, user: tuple[str, ...] = ()
) -> subprocess.CompletedProcess:
    """The command as a user starts it; ``user``: what makes it another's than one's own."""
    return subprocess.run(
        [*user, sys.executable, "-m", "bomb", *map(str, words)],
        env={**os.environ, **PATHS, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE_S,
    )


@pytest.fixture(scope="module")
def stranger() -> tuple[str, ...]:
    """What starts a command as a user without a name or a home, as clusters have them.

    Where Python or the checkout is closed to others, the user may look into every folder, or do what root
    may with files. Empty where one is not root, and has no other number than one's own.
    """
    if os.geteuid() != 0:
        return ()
    with pytest.raises(KeyError):
        pwd.getpwuid(STRANGER)
    plain = ("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups")
    for more in ("dac_read_search", "dac_override"):
        rights = (f"--inh-caps=+{more}", f"--ambient-caps=+{more}")
        for words in (plain, (*plain, *rights)):
            tried = [*words, sys.executable, "-c", "import core"]
            answer = subprocess.run(tried, cwd=ROOT, env={**os.environ, **PATHS}, capture_output=True)
            if answer.returncode == 0 and not answer.stderr:  # files of paths that are closed are told there
                return words
    raise AssertionError("no other user can be had: setpriv of util-linux is missing or may do nothing")


@pytest.fixture
def place(stranger):
    """A folder of the stranger's; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        give(Path(folder), stranger)
        yield Path(folder)


def give(folder: Path, user: tuple[str, ...]) -> None:
    """Makes the user the owner of all that is in there."""
    for path in (folder, *folder.rglob("*")) if user else ():
        os.chown(path, STRANGER, STRANGER)


@pytest.fixture
def odd(place) -> dict:
    """An environment in which nothing is where it is expected, nor anybody known."""
    long = place / ("t" * 60) / ("u" * 60)
    long.mkdir(parents=True)
    (place / "no:such#home").write_text("a file where a folder should be")
    return {
        "HOME": str(place / "no:such#home"),
        "XDG_CACHE_HOME": "",
        "BOMB_CACHE": "",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TMPDIR": str(long),
        **dict.fromkeys(("USER", "LOGNAME", "LNAME", "USERNAME"), ""),
    }


@pytest.mark.timeout(PATIENCE_S * 5)
def test_pictures_report_batches_and_an_export_in_an_odd_place(odd, place, stranger):
    out = place / "my:runs #1 %d"
    out.mkdir()
    give(place, stranger)
    policy = f"tests.evaluation.policies:Batched({str(place)!r})"
    small = ("--episodes", 2, "--max-steps", 2, "--split", "ci", "--workers", 1, "--image-size", 64)
    run = bomb(
        "evaluate",
        "--policy",
        policy,
        "--backend",
        ONE,
        *small,
        "--videos",
        "all",
        "--out",
        out / "run",
        env=odd,
        user=stranger,
    )
    assert run.returncode == 0, run.stderr
    assert "cannot be written to" in run.stderr and "BOMB_CACHE sets another" in run.stderr
    assert len(list((out / "run" / "videos").glob("*.mp4"))) == 2
    report = bomb("report", out / "run", "--out", out / "a:page.html", env=odd, user=stranger)
    assert report.returncode == 0 and (out / "a:page.html").stat().st_size > 10_000, report.stderr
    dataset = make_dataset(out / "data", episodes=1, steps=3)
    give(dataset.path, stranger)
    export = bomb(
        *("export", dataset.path, "--format", "lerobot", "--out", out / "le:robot", "--image-size", 64),
        env=odd,
        user=stranger,
    )
    assert export.returncode == 0 and list((out / "le:robot").rglob("*.mp4")), export.stderr
    page = bomb("inspect", out / "le:robot", "--out", out / "i:n.html", env=odd, user=stranger)
    assert page.returncode in (0, 1) and (out / "i:n.html").exists(), page.stderr
    replayed = bomb(
        "evaluate",
        "--policy",
        f"replay({out / 'run'})",
        "--backend",
        ONE,
        *small,
        "--cameras",
        "none",
        env=odd,
        user=stranger,
    )
    assert replayed.returncode == 0, replayed.stderr
    owner = STRANGER if stranger else os.getuid()
    assert {path.stat().st_uid for path in out.rglob("*")} == {owner}
    assert not list(Path(odd["TMPDIR"]).glob(f"{temporary.PREFIX}*"))


def test_names_that_are_not_utf8_work_or_are_refused(tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    small = ("--episodes", 1, "--max-steps", 1, "--split", "ci", "--workers", 1, "--image-size", 64)
    run = bomb(
        "evaluate", "--policy", "hold", "--backend", ONE, *small, "--videos", "all", "--out", odd / "run"
    )
    assert run.returncode == 0, run.stderr
    assert len(list((odd / "run" / "videos").glob("*.mp4"))) == 1
    assert bomb("report", odd / "run", "--out", odd / "page.html").returncode == 0
    dataset = make_dataset(odd / "data", episodes=1, steps=2)
    export = bomb("export", dataset.path, "--format", "lerobot", "--out", odd / "lerobot")
    assert export.returncode == 2 and "is not UTF-8" in export.stderr and export.stderr.count("\n") == 1


def test_the_cache_goes_where_it_may(monkeypatch, tmp_path, capsys):
    cache.forget_the_place_instead()
    monkeypatch.setenv("BOMB_CACHE", str(tmp_path / "mine"))
    monkeypatch.setattr(Path, "home", lambda: 1 / 0)  # BOMB_CACHE is read first
    assert cache_folder() == tmp_path / "mine" and diagnosis.cache().found == str(tmp_path / "mine")
    (tmp_path / "file").touch()
    monkeypatch.setenv("BOMB_CACHE", str(tmp_path / "file"))
    with pytest.raises(OptionError, match=r"BOMB_CACHE=.*cannot be written to: "):
        cache_folder()
    assert not diagnosis.cache().ok

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("BOMB_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache_folder()
    assert folder.parent == tmp_path and folder.is_dir() and cache_folder() == folder
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and str(folder) in told
    assert str(folder) in diagnosis.cache().found and "BOMB_CACHE" in diagnosis.cache().advice
    cache.forget_the_place_instead()


def test_a_killed_process_leaves_no_temporary_folder_for_long(monkeypatch, tmp_path):
    code = (
        "import os, signal; from core.world.temporary import TemporaryFolder; "
        "folder = TemporaryFolder('test'); "
        "(folder.path / 'big').write_bytes(bytes(9)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, cwd=ROOT)
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = temporary.TemporaryFolder("test")
    assert left.exists()  # it may just be beginning
    hour_ago = time.time() - 3600
    for folder in (left, mine.path):
        os.utime(folder, (hour_ago, hour_ago))
    temporary.remove_left_behind()
    assert not left.exists() and mine.path.exists()
    mine.close()
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_that_ends_leaves_its_parents_temporary_folder():
    """What is registered to be closed at the end of a process is closed at the end of its copies, too."""
    folder = temporary.TemporaryFolder("test")
    if (child := os.fork()) == 0:
        folder.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert folder.path.is_dir()
    folder.close()
    assert not folder.path.exists()


def test_an_address_puts_nothing_on_the_path_that_lies_here(monkeypatch, tmp_path):
    (tmp_path / "msgpack.py").write_text("raise SystemExit('a stranger was run')")
    (tmp_path / "mine.py").write_text("from bomb.policies.expert import Expert\nclass Mine(Expert): pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    policy_class("openpi://127.0.0.1:1")
    policy_class("hold")
    assert str(tmp_path) not in sys.path
    assert policy_class("mine:Mine").__name__ == "Mine"  # who names a module means what lies here, too


def test_a_file_of_actions_may_have_a_sharp_in_its_name(tmp_path):
    import numpy as np

    for name in ("a#b.npy", "plain.npy"):
        np.save(tmp_path / name, np.zeros((2, 4), np.float32))
        assert make_policy(f"replay({tmp_path / name})").describe()["actions"].endswith(name)


def test_programs_that_workers_cannot_read_are_told_what_to_do(monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__spec__", None, raising=False)
    monkeypatch.setattr(main, "__file__", "<stdin>", raising=False)
    with pytest.raises(OptionError, match="it has no file"):
        main_program.check_main_program()
    monkeypatch.delattr(main, "__file__")
    main_program.check_main_program("hold")
    with pytest.raises(OptionError, match=r"a notebook .* mine:Class"):
        main_program.check_main_program("__main__:Mine")


def test_a_policy_of_the_main_program_plays(tmp_path):
    (tmp_path / "program.py").write_text(
        "import bomb, core, json, sys, numpy as np\n"
        "class Mine(core.Policy):\n"
        "    def reset(self, instruction, seed): pass\n"
        "    def act(self, observation): return np.float32([[0, 0, 0, 1]])\n"
        'if __name__ == "__main__":\n'
        "    asked = bomb.EvaluationSettings(policy='__main__:Mine', backends=('mujoco',), episodes=1,\n"
        "        max_steps=1, cameras=())\n"
        "    print(bomb.evaluate(asked, execution=bomb.ExecutionSettings(workers=1))['n'])\n"
    )
    answer = subprocess.run(
        [sys.executable, tmp_path / "program.py"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=ROOT,
    )
    assert answer.stdout == "1\n", answer.stderr


def test_a_program_that_starts_processes_when_it_is_read_is_told_so_at_once(tmp_path):
    (tmp_path / "program.py").write_text(
        "import bomb, core\n"
        "from bomb.collecting.collecting import collect\n"
        "from bomb.demonstrations.settings import CollectionSettings\n"
        f"asked = bomb.EvaluationSettings(policy='hold', backends=({ONE!r},), episodes=1, cameras=())\n"
        "calls = (lambda: bomb.evaluate(asked, execution=bomb.ExecutionSettings(workers=1)),\n"
        f"    lambda: bomb.make_vec(1, backend={ONE!r}, cameras=(), asynchronous=True),\n"
        f"    lambda: collect(CollectionSettings(backends=({ONE!r},), split='ci'), 1, 'nowhere'))\n"
        "for call in calls:\n"
        "    try: call()\n"
        "    except core.OptionError as error: print(error)\n"
    )
    answer = subprocess.run(
        [sys.executable, tmp_path / "program.py"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=tmp_path,
        env={**os.environ, **PATHS},
    )
    assert answer.returncode == 0 and answer.stderr == "", answer.stderr
    assert answer.stdout == f"{main_program.UNGUARDED_WORDS}\n" * 3


@pytest.mark.parametrize(
    "words",
    [
        (
            "evaluate",
            "--policy",
            "tests.evaluation.policies:Slow(0.5)",
            "--backend",
            ONE,
            "--cameras",
            "none",
        ),
        ("demo", "--no-pictures"),
        ("collect", "--backend", ONE, "--episodes", "500", "--workers", "2"),
        ("parity", "--episodes", "50"),
    ],
    ids=lambda words: words[0],
)
def test_sigterm_leaves_no_orphan(words, tmp_path):
    more = () if words[0] == "parity" else ("--out", str(tmp_path / "out"))
    process = subprocess.Popen(
        [sys.executable, "-m", "bomb", *words, *more],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_S
    while len(family(process.pid)) < 3:  # it, and two that it has started
        assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
        time.sleep(0.05)
    members = family(process.pid)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode in (1, 130) and "Traceback" not in error, error
    while any(Path(f"/proc/{pid}").exists() and state(pid) != "Z" for pid in members):
        assert time.monotonic() < deadline, "it left somebody behind"
        time.sleep(0.05)


def family(pid: int) -> set[int]:
    """A process and all that come from it."""
    found = {pid}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found |= family(int(child))
    return found


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_ctrl_c_while_python_loads_prints_no_traceback(tmp_path):
    code = (
        "import sys, builtins, runpy; load = builtins.__import__\n"
        "def slow(name, *rest, **more):\n"
        "    if name == 'bomb.cli.options': raise KeyboardInterrupt\n"
        "    return load(name, *rest, **more)\n"
        "builtins.__import__ = slow\n"
        "sys.argv = ['bomb', 'evaluate', '--policy', 'hold']\n"
        "runpy.run_module('bomb', run_name='__main__')"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 130 and answer.stderr == "bomb evaluate: interrupted\n", answer.stderr


def test_a_busy_machine_is_no_missing_driver(monkeypatch):
    def late(*args, **options):
        raise subprocess.TimeoutExpired("python", 5)

    monkeypatch.setattr(subprocess, "run", late)
    finding = diagnosis.try_backend(ONE, ("head",), 5.0)
    assert finding.found == "no picture within 5 s; the machine may be slow, or busy"
    assert "Mesa" not in finding.advice and "--timeout" in finding.advice
    works = diagnosis.Finding(what="Vulkan", ok=True, found="draws in software")
    monkeypatch.setattr(diagnosis, "graphics_driver", lambda: works)
    broken = subprocess.CompletedProcess([], 1, stdout="", stderr="RenderError: no picture\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: broken)
    assert "Mesa" not in diagnosis.try_backend(ONE, ("head",), 5.0).advice


def test_words_of_others_are_no_formulas_and_no_scripts():
    text = csv_text([{"policy": "=cmd|' /C calc'!A0", "delta": -0.5, "note": "@x", "plain": "a-b"}])
    assert text.splitlines()[1] == "'=cmd|' /C calc'!A0,-0.5,'@x,a-b"
    made = table(["a", "p"], [["<script>alert(1)</script> <!-- x\x1b[2J", "< 0.001"]])
    assert "<script" not in made and "</script" not in made and "<!--" not in made and "< 0.001" in made
    assert "\x1b" not in made
    assert json.dumps("ok")
