"""Names to import strings: tasks and backends, BOMB's own and other people's.

BOMB's own are listed here in code; third parties add theirs through the entry-point groups ``bomb.tasks``
and ``bomb.backends``, or at run time with ``register_task`` and ``register_backend``. Nothing is imported
before it is asked for, so a broken plugin breaks only itself. A name that BOMB has stays BOMB's; one that two
plugins want is an error that names both, when it is asked for.

What stands above ``core`` has registries of its own kind: ``bomb.policies.registry``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from core.errors import RegistrationError, UnknownNameError

_HOMES: dict[str, "Registry"] = {}  # registries that spawned processes get a copy of, by where they live


class Registry:
    """The names of one kind of thing.

    Args:
        kind: what is registered, as messages call it.
        group: entry-point group of third parties.
        builtin: name to target of BOMB's own.
        home: ``"module:attribute"`` where this registry is found in any process, so that what is registered
            here at run time is registered in worker processes too; None: it stays in this one.

    Attributes:
        kind, group: as given.
        added: name to target of what was registered at run time, in this process.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str], *, home: str | None = None):
        self.kind, self.group = kind, group
        if home is not None:
            _HOMES[home] = self
        self.added: dict[str, str] = {}
        self._targets: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        self._broken: dict[
            str, RegistrationError
        ] = {}  # plugins that cannot be used, by the name they ask for
        self._scanned = False
        for name, target in builtin.items():
            self._add(name, target, "BOMB")

    def register(self, name: str, target: str) -> None:
        """Adds a name.

        Args:
            name: lower-case name that users type.
            target: ``"module:attribute"``, imported when the name is first used.

        Raises:
            RegistrationError: if the name is taken by another target, or the target is malformed.
        """
        self._add(name, target, "register()")
        self.added[name] = target

    @contextmanager
    def temporarily(self, names: Mapping[str, str] | None = None) -> Iterator[None]:
        """Registers ``names`` for as long as a ``with`` block lasts.

        What is registered inside of the block, here or by ``register``, is forgotten when it ends; worker
        processes that start inside of it know it.

        Args:
            names: name to target, as ``register`` takes them.

        Raises:
            RegistrationError: as ``register`` does; then nothing of ``names`` is left registered.
        """
        self._scan()
        before = dict(self._targets), dict(self._sources), dict(self.added)
        try:
            for name, target in (names or {}).items():
                self.register(name, target)
            yield
        finally:
            self._targets, self._sources, self.added = before

    def names(self) -> list[str]:
        """All registered names, sorted, installed plugins included; two plugins with one name have none."""
        self._scan()
        return sorted(self._targets)

    def problems(self) -> dict[str, RegistrationError]:
        """Plugins that cannot be used, by the name that they ask for: taken, or malformed."""
        self._scan()
        return dict(self._broken)

    def target(self, name: str) -> str:
        """The import string behind a name.

        Raises:
            UnknownNameError: listing the valid names.
            RegistrationError: if several plugins want the name, naming them.
        """
        self._scan()
        if isinstance(name, str) and name not in self._targets and name in self._broken:
            raise self._broken[name]
        if not isinstance(name, str) or name not in self._targets:
            raise UnknownNameError(self.kind, name, self._targets)
        return self._targets[name]

    def load(self, name: str) -> Any:
        """Imports what a name stands for.

        Raises:
            UnknownNameError: listing the valid names.
            RegistrationError: naming the plugin that cannot be imported, and why.
        """
        target = self.target(name)
        module, _, attribute = target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise RegistrationError(
                f"{self.kind} {name!r} ({target}, from {self._sources[name]}) cannot be imported: {error}"
            ) from error

    def _add(self, name: str, target: str, source: str) -> None:
        module, _, attribute = target.partition(":")
        if not module or not attribute:
            raise RegistrationError(
                f"{self.kind} {name!r}: target {target!r} is not of the form 'module:attribute'"
            )
        if self._targets.get(name, target) != target:
            raise RegistrationError(
                f"{self.kind} {name!r} is registered twice: {self._targets[name]} "
                f"(from {self._sources[name]}) and {target} (from {source})"
            )
        self._targets[name], self._sources[name] = target, source

    def _scan(self) -> None:
        if self._scanned:
            return
        self._scanned = True
        known = set(self._targets)
        for point in sorted(entry_points(group=self.group), key=lambda point: (point.name, point.value)):
            if point.name in self._broken:
                continue
            distribution = point.dist.name if point.dist is not None else "an installed package"
            try:
                self._add(point.name, point.value, distribution)
            except RegistrationError as error:
                # One plugin must not take the others, or our own, along: only its name is lost.
                self._broken[point.name] = error
                if point.name in self._targets and point.name not in known:
                    del self._targets[point.name]


TASKS = Registry(
    "task",
    "bomb.tasks",
    {
        "place_stone": "tasks.place_stone:PlaceStone",
        "move_stone": "tasks.move_stone:MoveStone",
        "remove_stone": "tasks.remove_stone:RemoveStone",
        "copy_pattern": "tasks.copy_pattern:CopyPattern",
        "tic_tac_toe": "tasks.tic_tac_toe:TicTacToe",
        "four_in_a_row": "tasks.four_in_a_row:FourInARow",
        "go_sequence": "tasks.go_sequence:GoSequence",
    },
    home="core.registry:TASKS",
)
BACKENDS = Registry(
    "backend",
    "bomb.backends",
    {"mujoco": "backends.mujoco:MujocoBackend", "robotwin": "backends.robotwin:RobotwinBackend"},
    home="core.registry:BACKENDS",
)


def list_tasks() -> list[str]:
    """Names that ``make_task`` takes as ``task``."""
    return TASKS.names()


def list_backends() -> list[str]:
    """Names that ``make_task`` takes as ``backend``."""
    return BACKENDS.names()


def load_backend(name: str) -> Any:
    """The ``core.Backend`` class behind a name, for backends that are built on another one.

    Raises:
        UnknownNameError: listing the valid names.
        RegistrationError: naming the plugin that cannot be imported, and why.
    """
    return BACKENDS.load(name)


def register_task(name: str, target: str) -> None:
    """Adds a task: ``target`` is the import string of a ``core.Task`` class, ``"module:Class"``."""
    TASKS.register(name, target)


def register_backend(name: str, target: str) -> None:
    """Adds a backend: ``target`` is the import string of a ``core.Backend`` class, ``"module:Class"``."""
    BACKENDS.register(name, target)


def registrations() -> dict[str, dict[str, str]]:
    """What was registered at run time, by home of its registry, for processes that are spawned."""
    return {home: dict(registry.added) for home, registry in _HOMES.items() if registry.added}


def register_again(registered: Mapping[str, Mapping[str, str]]) -> None:
    """Registers in this process what ``registrations`` found in another."""
    for home, names in registered.items():
        module, _, attribute = home.partition(":")
        registry: Registry = getattr(import_module(module), attribute)
        for name, target in names.items():
            registry.register(name, target)
