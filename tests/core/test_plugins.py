"""Plugins through entry points: one that is broken, or two with one name, break nothing else."""

from dataclasses import dataclass

import pytest

from bomb.cli import main
from core import registry
from core.errors import RegistrationError, UnknownNameError
from core.registry import Registry, register_again, registrations


@dataclass(frozen=True)
class Package:
    name: str


@dataclass(frozen=True)
class Point:
    """What ``importlib.metadata`` says of an entry point."""

    name: str
    value: str
    dist: Package


@pytest.fixture
def plugins(monkeypatch):
    """A registry with place_stone built in, and the given entry points installed."""

    def install(*points: Point) -> Registry:
        monkeypatch.setattr(registry, "entry_points", lambda group: points)
        return Registry("task", "bomb.tasks", {"place_stone": "tasks.place_stone:PlaceStone"})

    return install


def test_one_that_fails_to_import_is_named_and_the_others_still_load(plugins):
    tasks = plugins(
        Point("bad", "no.such:Task", Package("bad-games")),
        Point("good", "tasks.move_stone:MoveStone", Package("good-games")),
    )
    assert tasks.names() == ["bad", "good", "place_stone"]
    assert tasks.load("good").name == "move_stone" and tasks.load("place_stone").name == "place_stone"
    with pytest.raises(RegistrationError, match=r"'bad'.*no.such:Task.*bad-games"):
        tasks.load("bad")


@pytest.mark.parametrize("packages", [("a", "b"), ("a", "b", "c")])
def test_two_with_one_name_are_both_named_and_the_others_still_load(plugins, packages):
    tasks = plugins(
        *(Point("chess", f"{name}.games:Chess", Package(f"package-{name}")) for name in packages),
        Point("good", "tasks.move_stone:MoveStone", Package("good-games")),
    )
    assert tasks.names() == ["good", "place_stone"]
    with pytest.raises(RegistrationError, match=r"'chess' is registered twice.*package-a.*package-b"):
        tasks.load("chess")
    assert tasks.load("good").name == "move_stone"


def test_a_name_of_ours_stays_ours(plugins):
    tasks = plugins(Point("place_stone", "other.games:PlaceStone", Package("other")))
    assert tasks.load("place_stone").__module__ == "tasks.place_stone.task"
    assert "other.games:PlaceStone" in str(tasks.problems()["place_stone"])


def test_a_malformed_one_is_named(plugins):
    tasks = plugins(Point("odd", "odd.games", Package("odd")))
    with pytest.raises(RegistrationError, match=r"'odd.games'"):
        tasks.load("odd")
    with pytest.raises(UnknownNameError, match="valid: place_stone"):
        tasks.load("even")


def test_the_list_of_tasks_names_what_is_broken(plugins, monkeypatch, capsys):
    tasks = plugins(
        Point("bad", "no.such:Task", Package("bad-games")),
        Point("good", "tasks.move_stone:MoveStone", Package("g")),
    )
    monkeypatch.setattr("bomb.cli.tasks.TASKS", tasks)
    assert main(["tasks"]) == 1
    printed = capsys.readouterr().out
    assert (
        "place_stone" in printed
        and "good" in printed
        and "cannot be used" in printed
        and "bad-games" in printed
    )


HERE = Registry("thing", "bomb.no_such_group", {}, home="tests.core.test_plugins:HERE")


def test_a_registry_of_any_kind_is_carried_to_other_processes():
    with HERE.temporarily({"one": "a:B"}):
        carried = registrations()
    assert carried["tests.core.test_plugins:HERE"] == {"one": "a:B"} and HERE.names() == []
    with HERE.temporarily():
        register_again(carried)
        assert HERE.names() == ["one"]
