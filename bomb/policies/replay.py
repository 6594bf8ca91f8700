"""Actions out of a file, played as a policy.

::

    replay(actions.npy)                        float[N, 4], for every seed
    replay(runs/data/episodes/episode_7.npz)   an episode of a dataset, or any .npz with the array `actions`
    replay(runs/data)                          a dataset: the episode of the seed that is played
    replay(runs/expert)                        a run, likewise
    replay(runs/matrix#place_stone|mujoco|clean)   a run of several conditions: those of one of them
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.dataset import SETTINGS_FILE, Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.disk.files import FileError
from core.control.actions import ActionSpec
from core.episode.archive import read_archive, read_array
from core.errors import ConventionError, OptionError
from core.policy import Policy
from core.seeding import policy_seed

if TYPE_CHECKING:
    from bomb.runs.store import RunStore

HOLD_CHUNK = 20  # actions at a time once the recorded ones are over: nobody needs to look


class Recorded(NamedTuple):
    """Actions float32[N, 4], and the mode that they were recorded in; None if the file does not say."""

    actions: npt.NDArray[np.float32]
    mode: str | None


class Replay(Policy):
    """Plays recorded actions, then holds still.

    Args:
        words: a file or folder, see this module.

    Raises:
        OptionError: without words.
        FileError: if it is missing, damaged, or holds no actions float[N, 4].
    """

    takes_words = True
    words = "FILE"
    wants_step = True
    wants_action_spec = True
    cameras = ()

    def __init__(self, words: str):
        self._source = words.strip().strip("'\"")
        if not self._source:
            raise OptionError("replay needs a file or folder in its brackets, like replay(actions.npy)")
        self._path, self._condition = _split(self._source)
        if not self._path.exists():
            raise FileError(f"{self._path} does not exist")
        self._episodes: dict[int, int] | None = None  # seed of the policy to that of the scene
        self._always = None if self._path.is_dir() else read_actions(self._path)

    def reset(  # type: ignore[override]  # see wants_action_spec
        self, instruction: str, seed: int, *, action_spec: ActionSpec
    ) -> None:
        """Takes the actions of the episode in which a policy gets ``seed``.

        Raises:
            FileError: if the folder has no such episode.
            ConventionError: if the actions were recorded in another action mode.
        """
        recorded = self._always or self._find(seed)
        if recorded.mode not in (None, action_spec.mode):
            raise ConventionError(
                f"{self._source} has actions of mode {recorded.mode!r}, "
                f"the environment takes {action_spec.mode!r}"
            )
        self._actions, last = recorded.actions, recorded.actions[-1].copy()
        if action_spec.mode == "delta":
            last[:3] = 0.0
        self._hold = np.tile(last, (HOLD_CHUNK, 1))

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], *, step: int
    ) -> npt.NDArray[np.float32]:
        """All that is left from ``step`` on, float32[k, 4]."""
        return self._actions[step:] if step < len(self._actions) else self._hold

    def _find(self, seed: int) -> Recorded:
        if self._episodes is None:
            split, seeds = recorded_seeds(self._path, self._condition)
            self._episodes = {policy_seed(split, scene): scene for scene in seeds}
        if seed not in self._episodes:
            raise FileError(
                f"{self._path} lacks the episode that is played; it has seeds {_short(self._episodes)}"
            )
        return find_actions(self._path, self._condition, self._episodes[seed])

    def describe(self) -> dict[str, Any]:
        """The file or folder, as it was given; of a run or dataset also what its episodes were.

        ``recorded`` is of the policy that played them, and whether it saw the true state; ``recorded_split``,
        ``action_mode`` and ``control_hz`` are what they are played with, or their actions mean nothing.
        """
        return {"actions": self._source, **(recorded_with(self._path) if self._path.is_dir() else {})}


def _split(source: str) -> tuple[Path, str]:
    """File or folder, and condition: names of files may have a ``#`` in them, too."""
    marks = [k for k, character in enumerate(source) if character == "#"]
    for end in (len(source), *reversed(marks)):
        path = Path(source[:end])
        with suppress(RuntimeError):  # no home to put in the place of ~
            path = path.expanduser()
        if path.exists():
            return path, source[end + 1 :]
    return Path(source.partition("#")[0]), ""


def recorded_with(folder: Path) -> dict[str, Any]:
    """What is to be said of the actions in a run or a dataset; see ``Replay.describe``.

    Raises:
        FileError: if it is neither.
    """
    from bomb.runs.store import FILE, RunStore

    if (folder / FILE).exists():
        with RunStore.open(folder) as store:
            about = store.settings()
        policy = {"policy": about["policy"]["words"], "privileged": about["policy"]["privileged"]}
    else:
        about, policy = Dataset.open(folder).settings, {"policy": "expert", "privileged": True}
    known = {"recorded_split": about.get("split")}
    known |= {name: about.get(name) for name in ("action_mode", "control_hz")}
    return {"recorded": policy, **{name: value for name, value in known.items() if value is not None}}


def find_actions(folder: Path, condition: str, seed: int) -> Recorded:
    """The actions of a seed in a run or a dataset.

    Raises:
        FileError: naming what is there, if there is no such episode.
    """
    if (folder / "run.sqlite").exists():
        return _from_run(folder, condition, seed)
    _check_dataset(folder)
    demonstration = Dataset.open(folder).load(seed)
    return Recorded(demonstration.actions, demonstration.about["action_mode"])


def recorded_seeds(folder: Path, condition: str) -> tuple[str, list[int]]:
    """Split and scene seeds of the episodes in a run or a dataset.

    Raises:
        FileError: as ``find_actions``.
    """
    if (folder / "run.sqlite").exists():
        from bomb.runs.store import RunStore

        with RunStore.open(folder) as store:
            rows = store.episodes(_condition_of(store, folder, condition))
            return store.settings()["split"], [row.seed for row in rows]
    _check_dataset(folder)
    dataset = Dataset.open(folder)
    return dataset.settings["split"], dataset.seeds()


def _check_dataset(folder: Path) -> None:
    if not (folder / SETTINGS_FILE).exists():
        raise FileError(f"{folder} is neither a run nor a dataset: no run.sqlite, no {SETTINGS_FILE}")


def _condition_of(store: "RunStore", folder: Path, condition: str) -> str:
    keys = [each.key for each in store.conditions()]
    if not condition and len(keys) == 1:
        return keys[0]
    if condition not in keys:
        raise FileError(
            f"{folder} has no condition {condition!r}; say one of them, "
            f"like replay({folder}#{keys[0] if keys else 'KEY'}): {', '.join(keys)}"
        )
    return condition


def _short(episodes: dict[int, int]) -> str:
    seeds = sorted(episodes.values())
    return ", ".join(map(str, seeds[:10])) + (f", ... {seeds[-1]}" if len(seeds) > 10 else "")


def _from_run(folder: Path, condition: str, seed: int) -> Recorded:
    from bomb.runs.store import RunStore

    with RunStore.open(folder) as store:
        record = store.record(_condition_of(store, folder, condition), seed)
    return Recorded(_checked(record.actions, f"{folder}, seed {seed}"), record.about.get("action_mode"))


def read_actions(file: Path) -> Recorded:
    """The actions in one file.

    Raises:
        FileError: if it is damaged or holds no actions float[N, 4] with N >= 1, all of them finite.
    """
    about = {}
    try:
        data = file.read_bytes()
        if not data.startswith(b"PK"):
            return Recorded(_checked(read_array(data), str(file)), None)
        loaded = read_archive(data)
        if "head" in loaded:
            demonstration = Demonstration.from_bytes(data)
            actions, about = demonstration.actions, demonstration.about
        elif "actions" in loaded:
            actions = loaded["actions"]
            if "about" in loaded:
                about = json.loads(loaded["about"].tobytes())
                about = about if isinstance(about, dict) else {}
        else:
            raise FileError(f"{file} has no array 'actions'; it has {', '.join(loaded)}")
    except (OSError, ValueError, RecursionError) as error:  # StateError is a ValueError
        raise FileError(f"{file} cannot be read: {error}") from error
    return Recorded(_checked(actions, str(file)), about.get("action_mode"))


def _checked(actions: npt.NDArray[Any], source: str) -> npt.NDArray[np.float32]:
    if actions.dtype.kind not in "iuf" or actions.ndim != 2 or actions.shape[1] != 4 or not len(actions):
        raise FileError(
            f"{source} must hold actions float[N, 4] with N >= 1, has {actions.dtype}{list(actions.shape)}"
        )
    if not np.isfinite(actions).all():
        row, entry = np.argwhere(~np.isfinite(actions))[0]
        raise FileError(f"{source}: actions[{row}, {entry}] is {actions[row, entry]}, must be finite")
    return actions.astype(np.float32)
