"""Whatever a policy does to its process, its answers and its words: an error of that episode, and no more."""

import contextlib
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from bomb.cli import USAGE_ERROR, main
from bomb.disk.text import LONGEST, capped, on_terminal, one_line, printable
from bomb.evaluation.workers.description import checked_description
from bomb.report.loading import load_runs
from bomb.rollouts.output import checked_chunk
from core.errors import OptionError, PolicyOutputError
from tests.conftest import PATIENCE_S
from tests.evaluation.conftest import ONE, settings
from tests.evaluation.policies import HOSTILE, Tensor
from tests.report.stores import condition, make_run

# How an attempt ends, by what the policy did: kind of error and what its message has.
EXPECTED = {
    "exits": ("policy", "raised SystemExit at step 2: 3"),
    "exits at once": ("worker", "ended with status 5 at step 2"),
    "kills its group": ("worker", "SIGKILL at step 2"),
    "answers for another": ("policy", "an answer to another job"),
    "tensor": ("policy", "a Tensor that NumPy cannot read (RuntimeError: Can't call numpy()"),
    "too large": ("policy", "1e+300 in action 0, entry 0, which is beyond float32"),
    "longdouble": ("policy", "inf in action 0, entry 0"),
    "unspeakable": ("policy", "raised Unspeakable at step 2: (its text cannot be read: ValueError)"),
    "undecodable": ("policy", "caf\\udce9.npy"),
    "long": ("policy", "characters omitted"),
}


def test_a_run_outlives_what_policies_do(run, tmp_path):
    result, store = run(settings("Hostile", episodes=len(HOSTILE) + 1), workers=2)
    errors = {[*HOSTILE][error.seed]: (error.kind, error.message) for error in store.errors()}
    assert errors.keys() == EXPECTED.keys()
    for name, (kind, words) in EXPECTED.items():
        assert errors[name][0] == kind and words in errors[name][1], (name, errors[name])
    assert max(len(error.message) + len(error.traceback) for error in store.errors()) < 3 * LONGEST
    # Who forks plays on, alone; who follows is served.
    assert [row.seed for row in store.episodes()] == [[*HOSTILE].index("forks"), len(HOSTILE)]
    assert result["stopped"] is None
    (loaded,) = load_runs([tmp_path / "run"])
    assert len(loaded.errors) == len(EXPECTED)


def test_what_is_printed_of_it_is_short_and_encodable(tmp_path):
    words = [
        *("evaluate", "--policy", "tests.evaluation.policies:Hostile", "--backend", ONE, "--cameras", "none"),
        *("--episodes", "2", "--seed", str([*HOSTILE].index("undecodable")), "--max-steps", "3"),
        *("--split", "ci", "--workers", "1", "--retries", "0", "--out", str(tmp_path / "run")),
    ]
    answer = subprocess.run(
        [sys.executable, "-m", "bomb", *words], capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert answer.returncode == 1 and "Traceback" not in answer.stderr, answer.stderr
    assert "caf\\udce9.npy" in answer.stdout and len(answer.stdout) < 5000


def test_a_chunk_that_is_changed_after_it_was_returned_is_executed_as_it_was():
    mine = np.zeros((2, 4), np.float32)
    taken = [checked_chunk("Mine", mine, 0), checked_chunk("Mine", mine.astype(np.float64), 0)]
    mine[:] = 9
    assert all((chunk == 0).all() and chunk.dtype == np.float32 for chunk in taken)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Tensor(), "a Tensor that NumPy cannot read"),
        (np.array([[1e39, 0, 0, 1]]), "beyond float32"),
        (np.array([[1j, 0, 0, 1]]), "type complex128"),
        ([[1, 2, 3, 4], [1, 2]], "a list that NumPy cannot read"),
        ("chunk", r"shape \(\)"),
        (None, r"shape \(\)"),
    ],
)
def test_what_cannot_be_executed_is_the_policys(answer, words):
    with pytest.raises(PolicyOutputError, match=words):
        checked_chunk("Mine", answer, 4)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"parameters": "3.3B"}, "parameters in describe() must be an integer, how many, got '3.3B'"),
        ({"parameters": True}, "parameters"),
        ({"parameters": -1}, "parameters"),
        ({"memory_mb": "2 GB"}, "memory_mb in describe() must be a number of megabytes"),
        ({"checkpoint": ["a"]}, "checkpoint in describe() must be text"),
        ({"action_mode": "relative"}, "must be one of delta, absolute, got 'relative'"),
        ({"control_hz": "20"}, "control_hz"),
        ({"recorded_split": 3}, "recorded_split"),
        ({"trained_on": "train"}, "trained_on"),
        ({"note": "x" * 1_000_000}, "characters of JSON, at most"),
    ],
)
def test_what_results_compute_with_is_checked_before_the_first_episode(said, words):
    with pytest.raises(OptionError) as caught:
        checked_description(said)
    assert words in str(caught.value) and len(str(caught.value)) < 300
    whole = {"parameters": 3_300_000_000, "memory_mb": 1.5, "checkpoint": "a", "control_hz": 20}
    assert checked_description({**whole, "mine": [1, {"two": None}]})["mine"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["evaluate", "--policy", "hold", "--seed", "9223372036854775808"],
            "seed must be an integer from 0 to 9223372036854775807",
        ),
        (
            ["evaluate", "--policy", "hold", "--seed", str(2**63 - 1), "--episodes", "2"],
            "from 0 to 9223372036854775807",
        ),
        (["evaluate", "--policy", f"noisy_expert({'[' * 100_000})"], "must be plain values"),
        (["evaluate", "--policy", "blind(" * 5000 + "expert" + ")" * 5000], "wrappers around it"),
        (["evaluate", "--policy", "hold", "--out", "a\0b"], "zero character"),
    ],
)
def test_questions_that_nobody_asks_are_answered_in_one_line(words, told, capsys):
    assert main([*words, "--backend", ONE, "--cameras", "none"]) == USAGE_ERROR
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1 and len(error) < 500


def test_files_of_nested_brackets_and_nulls_are_damaged(tmp_path, capsys):
    (tmp_path / "set.json").write_text("[" * 100_000)
    data = tmp_path / "data"
    (data / "episodes").mkdir(parents=True)
    (data / "dataset.json").write_text("[" * 100_000)
    evaluate = [
        "evaluate",
        "--policy",
        "hold",
        "--backend",
        ONE,
        "--perturbations",
        str(tmp_path / "set.json"),
    ]
    for words in (evaluate, ["inspect", str(data), "--out", str(tmp_path / "page.html")]):
        assert main(words) == USAGE_ERROR
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and ("damaged" in error or "cannot be read" in error)
    keys = [
        "task",
        "backends",
        "split",
        "perturbations",
        "held_out",
        "diversity",
        "action_mode",
        "control_hz",
    ]
    keys += ["max_steps", "stop_on_success", "versions"]
    nulls = {"format": "bomb-demonstrations", "version": 1, **dict.fromkeys(keys)}
    (data / "dataset.json").write_text(json.dumps(nulls))
    assert main(["inspect", str(data), "--out", str(tmp_path / "page.html")]) == USAGE_ERROR
    assert "dataset.json is damaged: task is None" in capsys.readouterr().err


class Terminal(io.StringIO):
    """What somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("words", [("report", "--format", "markdown"), ("rescore",)], ids=lambda w: w[0])
def test_names_out_of_files_of_others_move_no_cursor(words, tmp_path):
    run = make_run(
        tmp_path / "run", lambda _, seed: True, conditions=[condition()], seeds=(), policy="\x1b[2Jgone\x07"
    )
    with contextlib.redirect_stdout(Terminal()) as shown:
        main([words[0], str(run), *words[1:]])
    assert "\\x1b[2Jgone\\x07" in shown.getvalue() and not {"\x1b", "\x07"} & set(shown.getvalue())


def test_texts_of_others():
    assert printable("a\udcffb\n") == "a\\udcffb\n"
    assert len(capped("x" * 10**6)) < LONGEST + 100 and capped("short") == "short"
    assert on_terminal("\x1b[31mred\x07\u202e") == "\\x1b[31mred\\x07\\u202e"
    assert one_line("a\n  b\x00") == "a b\\x00"
