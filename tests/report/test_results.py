"""The table of results: entries out of runs, merged, written into a page."""

import json

import pytest

from bomb.cli import main
from bomb.disk.files import FileError
from bomb.report.loading import load_runs
from bomb.results.book import merged, read_book
from bomb.results.entry import Entry, entries_of
from bomb.results.tables import results_tables
from tests.report.stores import condition, make_run, settings

MATRIX = [condition(label, backend) for label in ("clean", "bomb:3") for backend in ("mujoco", "robotwin")]
TERMS = {
    "split": "test", "goals": "all", "seed": 0, "image_size": [128, 128], "stop_on_success": False,
    "max_steps": None, "chunk": "full", "modalities": ["rgb"], "hardware": {"host": "secret", "cpu": "fast"},
    "git": {"commit": "0123456789abcdef", "changed": False},
}  # fmt: skip


def stored(path, outcome=lambda where, seed: seed % 4 > 0, **options):
    terms = {**TERMS, **options.pop("terms", {})}
    return make_run(path, outcome, conditions=MATRIX, seeds=range(20), terms=terms, episodes=20, **options)


def test_an_entry_says_what_was_played_and_nothing_of_the_machine(tmp_path):
    words = "vla(checkpoint='/home/me/runs/best', threads=1)"
    stages = {"grasped": True, "lifted": True}
    path = stored(
        tmp_path / "run", policy=words, checkpoint="/home/me/runs/best", parameters=123456,
        change=lambda where, seed: {"stages": stages} if seed != 7 else {},
    )  # fmt: skip
    entries = entries_of(load_runs([path])[0], name="small")
    assert len(entries) == 4 and {entry.successes for entry in entries} == {15}
    one = entries[0]
    assert (one.policy, one.words) == ("small", "vla(checkpoint='.../best', threads=1)")
    assert (one.carried, one.distance_mm, one.parameters) == (14, 3.0, 123456)
    assert "home" not in json.dumps(one.to_dict()) and "secret" not in json.dumps(one.to_dict())
    assert len({entry.digest for entry in entries}) == 4
    again = entries_of(load_runs([stored(tmp_path / "again", policy=words)])[0])
    assert [entry.digest for entry in again] == [entry.digest for entry in entries]
    other = stored(tmp_path / "other", lambda where, seed: seed == 0, policy=words)
    assert entries_of(load_runs([other])[0])[0].digest != one.digest


def test_a_page_keeps_what_others_wrote_and_takes_the_newer_run(tmp_path, capsys):
    page = tmp_path / "results.md"
    page.write_text("# Mine\n\n<!-- results: begin -->\nold\n<!-- results: end -->\n\nMore words.\n")
    runs = [stored(tmp_path / name, policy=words) for name, words in
            (("clever", "clever"), ("blind", "blind(clever)"), ("chance", "random"))]  # fmt: skip
    assert main(["results", *map(str, runs[:2]), "--write", str(page)]) == 0
    assert main(["results", str(runs[2]), "--write", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("# Mine\n") and text.endswith("\nMore words.\n") and "old" not in text
    lines = [line for line in text.splitlines() if "75.0% [53.1, 88.8] (20)" in line]
    assert [line.split("|")[1].strip() for line in lines] == [
        "clever", "clever", "blind(clever)", "blind(clever)", "random", "random",
    ]  # fmt: skip
    better = stored(tmp_path / "better", lambda where, seed: True, policy="clever")
    assert main(["results", str(better), "--write", str(page)]) == 0
    book = read_book(tmp_path / "results.json")
    assert len(book) == 12 and {e.successes for e in book if e.policy == "clever"} == {20}
    capsys.readouterr()
    lab = stored(tmp_path / "lab", policy="clever")
    assert main(["results", str(lab), "--by", "A Lab", "--write", str(tmp_path / "lab.md")]) == 0
    assert main(["results", "--merge", str(tmp_path / "lab.json"), "--write", str(page)]) == 0
    learned = json.loads((tmp_path / "lab.json").read_text())
    learned["entries"][0]["trained_on"] = [{"split": "test"}]
    (tmp_path / "learned.json").write_text(json.dumps(learned))
    assert main(["results", "--merge", str(tmp_path / "learned.json"), "--write", str(page)]) == 2
    assert "trained_on = [{'split': 'test'}], which cannot be" in capsys.readouterr().err
    nameless = tmp_path / "nameless.json"
    nameless.write_text((tmp_path / "lab.json").read_text().replace('"A Lab"', '" "'))
    assert main(["results", "--merge", str(nameless), "--write", str(page)]) == 2
    assert "does not say who played clever" in capsys.readouterr().err
    after = page.read_text()
    assert "### Of others" in after and "clever (A Lab)" in after and "100.0% [83.9, 100.0] (20)" in after
    assert main(["results", str(lab)]) == 0
    assert "| clever | mujoco |" in capsys.readouterr().out


def test_goals_and_episodes_that_were_lost_are_said(tmp_path):
    unseen = stored(tmp_path / "unseen", terms={"goals": "unseen"})
    (entry, *_) = entries_of(load_runs([unseen])[0])
    assert entry.condition == "clean, unseen goals"
    lost = type(entry)(**{**entry.to_dict(), "goals": "all", "unplayed": 2})
    text = results_tables(merged([entry], [lost]))
    assert "(20, 2 not played)" in text and "clean, unseen goals" in text


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"split": "validation"}, "of split 'validation', which is for choosing or training"),
        ({"stop_on_success": True}, "played with stop_on_success = True"),
        ({"max_steps": 80}, "played with max_steps = 80"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path, capsys, terms, said):
    path = stored(tmp_path / "run", terms=terms)
    assert main(["results", str(path), "--write", str(tmp_path / "page.md")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists() and not (tmp_path / "page.json").exists()


def test_damage_is_named(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("no marks")
    path = stored(tmp_path / "run")
    assert main(["results", str(path), "--write", str(page)]) == 2
    assert "must have one line <!-- results: begin -->" in capsys.readouterr().err
    (tmp_path / "book.json").write_text(
        '{"format": "bomb-results", "version": 1, "entries": [{"policy": "x"}]}'
    )
    assert main(["results", "--merge", str(tmp_path / "book.json")]) == 2
    assert "has an entry that cannot be read: lacks" in capsys.readouterr().err
    assert settings()["episodes"] == 0 and main(["results"]) == 2


WRONG = {
    "episodes": ("x", None, 2.5, 0, float("nan")), "successes": (None, 21, True),
    "policy": (None, 5, "a\0b", " "), "by": ("a\0b",), "split": ("train",), "reasons": ({"x": -5},),
    "seed": ("0", float("nan"), -1), "cameras": (5, [5]), "image_size": ([], None), "parameters": ("3B", 1.5),
    "terms": (None,), "digest": (None,), "trained_on": ("train", [1], [{"perturbations": [1]}]),
    "git": ("abc", {"commit": 5}), "versions": (None,), "privileged": ("no",), "backend": (None,),
    "finished": (5,), "unplayed": ("x", -3, 9999), "carried": (-4, 10**6), "policy_ms": (-5.0,),
}  # fmt: skip


def test_entries_of_others_are_checked_value_by_value(tmp_path):
    (entry, *_) = entries_of(load_runs([stored(tmp_path / "run")])[0])
    assert Entry.from_dict(entry.to_dict(), "theirs.json") == entry
    for name, values in WRONG.items():
        for value in values:
            with pytest.raises(FileError, match=r"theirs\.json has an entry"):
                Entry.from_dict({**entry.to_dict(), name: value}, "theirs.json")
    for plain in (None, 5, []):
        with pytest.raises(FileError, match="must be a mapping"):
            Entry.from_dict(plain, "theirs.json")


def test_a_page_is_not_the_file_of_its_entries(tmp_path, capsys):
    run = stored(tmp_path / "run")
    assert main(["results", str(run), "--write", str(tmp_path / "results.json")]) == 2
    assert "--write names the page" in capsys.readouterr().err and not (tmp_path / "results.json").exists()
