"""One question, what is changed in it, and how much the answer changes: the same for every kind of policy.

A reference action is decided once on the clean question and then frozen. A score says how much the policy
still wants it; the effect of a change is E = S(clean) - S(changed), large where what was taken away was
needed.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.explanation.grids import Grid
from bomb.explanation.spans import without
from core.control.actions import ActionSpec
from core.errors import OptionError
from core.policy import BatchPolicy, Policy, Request
from core.task import Span

GROUPS = {"xy": slice(0, 2), "z": slice(2, 3), "gripper": slice(3, 4)}
COARSE = Grid(rows=8, cols=8)  # of policies that do not say how they cut a picture


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """One moment of an episode, as the policy is asked.

    Attributes:
        observation: as ``Environment.observe`` gives it.
        seed: of the policy's randomness.
        step: actions executed so far.
        history: observations of earlier moments, the oldest first; of models that look at several.
        memory: the policy as it was before it was asked, of one that remembers; it is copied, and never asked
            itself.
        remembered: what a VLA that remembers was told of the look before, float32[m]; None: its first look.
    """

    observation: dict[str, Any]
    seed: int
    step: int
    history: tuple[dict[str, Any], ...] = ()
    memory: Policy | None = None
    remembered: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """What is different in a question.

    Attributes:
        name: in results.
        pictures: by camera, uint8[H, W, 3], in place of those that were seen.
        hidden: spans of the instruction that are not to be read.
        instruction: other words; None: the same.
    """

    name: str
    pictures: Mapping[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    hidden: tuple[Span, ...] = ()
    instruction: str | None = None

    def of(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The observation with other pictures and words; ``hidden`` is left to who asks."""
        changed = {**observation, "images": {**observation["images"], **self.pictures}}
        if self.instruction is not None:
            changed["instruction"] = self.instruction
        return changed


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Scores of changed questions.

    Attributes:
        total: float64[n].
        groups: float64[n] by group of the action.
    """

    total: npt.NDArray[np.float64]
    groups: Mapping[str, npt.NDArray[np.float64]]

    def effects(self, clean: "Scored") -> "Scored":
        """E = S(clean) - S(changed); ``clean`` has one entry."""
        return Scored(
            total=clean.total[0] - self.total,
            groups={name: clean.groups[name][0] - values for name, values in self.groups.items()},
        )

    @classmethod
    def joined(cls, parts: Sequence["Scored"]) -> "Scored":
        """Several, one after the other."""
        return cls(
            total=np.concatenate([part.total for part in parts]),
            groups={name: np.concatenate([part.groups[name] for part in parts]) for name in parts[0].groups},
        )


class Asker(ABC):
    """Puts questions to a policy.

    Attributes:
        score_words: what the score is, for captions.
        hiding_words: how spans are hidden, for captions.
        forwards: passes through the policy so far.
        history: moments that it looks at.
    """

    score_words: str
    hiding_words: str
    forwards: int = 0
    history: int = 1

    @property
    @abstractmethod
    def grids(self) -> Mapping[str, Grid]:
        """How each camera's picture is cut into patches."""

    @abstractmethod
    def decide(self, question: Question) -> tuple[npt.NDArray[np.float32], Any]:
        """What the policy does, float32[k, 4], and the frozen reference for ``score``."""

    @abstractmethod
    def score(self, question: Question, reference: Any, changes: Sequence[Change]) -> Scored:
        """How much the policy wants the reference when it is asked each changed question."""

    @abstractmethod
    def act(self, question: Question, changes: Sequence[Change]) -> list[npt.NDArray[np.float32]]:
        """What it does when it is asked each changed question, float32[k, 4]."""


class PolicyAsker(Asker):
    """Any policy that is not privileged: nothing but its actions is known.

    The score is minus the distance of its chunk from the clean one, in actions at full speed (20 mm at
    20 Hz; the gripper from 0 to 1): by group the mean over the chunk, in total their sum. Every question is
    asked with the same (seed, step), which is common random numbers for policies that keep their promise. A
    policy that remembers is asked as it was at that moment (``Question.memory``), and told other words by its
    method ``reword(instruction)`` if it has one; where it could not be copied, as at its first look.

    Args:
        policy: it stays open; who made it closes it.
        spec: what its actions mean.
        goal_picture: for policies that want one.

    Raises:
        OptionError: for a privileged policy, which looks at no pictures.
    """

    score_words = (
        "minus the distance from the clean chunk (mean over the chunk, in actions at full speed; the gripper "
        "from 0 to 1), summed over xy, z and gripper"
    )
    hiding_words = "words are left out of the instruction: only its actions are known of this policy"

    def __init__(self, policy: Policy, spec: ActionSpec, goal_picture: np.ndarray | None = None):
        if policy.privileged:
            raise OptionError(
                f"{type(policy).__name__} is privileged: it is told the truth, no picture or word explains it"
            )
        self._policy, self._spec, self._goal_picture = policy, spec, goal_picture

    @property
    def grids(self) -> Mapping[str, Grid]:
        return dict.fromkeys(self._policy.cameras or ("head",), COARSE)

    def decide(self, question: Question) -> tuple[np.ndarray, np.ndarray]:
        chunk = self._ask(question, [question.observation])[0]
        return chunk, chunk

    def score(self, question: Question, reference: np.ndarray, changes: Sequence[Change]) -> Scored:
        return self.compare(reference, self.act(question, changes))

    def compare(self, reference: np.ndarray, chunks: Sequence[np.ndarray]) -> Scored:
        """Minus the distances from a reference, float32[k, 4]; of chunks of other lengths the common part."""
        groups = {name: np.zeros(len(chunks)) for name in GROUPS}
        for k, chunk in enumerate(chunks):
            n = min(len(chunk), len(reference))
            away = np.asarray(chunk[:n], dtype=np.float64) - reference[:n]
            if self._spec.mode == "absolute":
                away[:, :3] /= self._spec.max_step
            for name, dims in GROUPS.items():
                groups[name][k] = -np.linalg.norm(away[:, dims], axis=1).mean()
        return Scored(total=sum(groups.values(), np.zeros(len(chunks))), groups=groups)

    def act(self, question: Question, changes: Sequence[Change]) -> list[np.ndarray]:
        return self._ask(question, [_with_words_left_out(change, question.observation) for change in changes])

    def _ask(self, question: Question, observations: Sequence[dict[str, Any]]) -> list[np.ndarray]:
        self.forwards += len(observations)
        policy = self._policy
        if isinstance(policy, BatchPolicy):
            requests = [
                Request(observation=one, seed=question.seed, step=question.step) for one in observations
            ]
            return [np.asarray(chunk) for chunk in policy.infer(requests)]
        extras: dict[str, Any] = {}
        if policy.wants_action_spec:
            extras["action_spec"] = self._spec
        if policy.wants_goal_picture:
            extras["goal_picture"] = self._goal_picture
        more = {"step": question.step} if policy.wants_step else {}
        chunks = []
        for one in observations:
            asked: Policy = policy
            if question.memory is None:
                policy.reset(one["instruction"], question.seed, **extras)
            else:
                asked = deepcopy(question.memory)
                other = one["instruction"] != question.observation["instruction"]
                if other and hasattr(asked, "reword"):
                    asked.reword(one["instruction"])
            chunks.append(np.asarray(asked.act(one, **more)).copy())
        return chunks


def _with_words_left_out(change: Change, observation: dict[str, Any]) -> dict[str, Any]:
    changed = change.of(observation)
    for span in sorted(change.hidden, key=lambda span: -span.start):
        changed = {**changed, "instruction": without(changed["instruction"], span)}
    return changed


def patch_changes(question: Question, camera: str, grid: Grid, fill: npt.NDArray[np.uint8]) -> list[Change]:
    """One change for each patch of a camera's picture.

    Args:
        question: whose picture.
        camera: which.
        grid: the patches.
        fill: uint8[H, W, 3], what shows through; see ``bomb.explanation.occluders.filling``.
    """
    picture = question.observation["images"][camera]
    numbers = grid.numbers(*picture.shape[:2])
    return [
        Change(
            name=grid.label(k),
            pictures={camera: np.where((numbers == k)[..., None], fill, picture)},
        )
        for k in range(len(grid))
    ]


def span_changes(spans: Mapping[str, Span]) -> list[Change]:
    """One change for each span of an instruction."""
    return [Change(name=name, hidden=(span,)) for name, span in spans.items()]
