"""``--policy keypoint``: looks through the head and the wrist camera, reads the words, and moves a stone."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.checkpoint import SHIPPED, KeypointModel, read_model
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE
from bomb.models.keypoint.hand import CHUNK, Situation
from bomb.models.keypoint.scene import SceneBelief
from bomb.models.keypoint.state import HALF, GripperHistory
from bomb.models.keypoint.words import Read
from core.control.actions import ActionSpec
from core.errors import ConventionError
from core.policy import Policy

CONTROL_HZ = 20
STRIDE, STRIDE_HOLDING = 8, 5  # actions between looks on the way, and on the way over the board
NEAR = 0.030  # m beside the spot: from here on it looks more often
STRIDE_NEAR = 3
SURE = 0.0022  # m: only a spot that is known as well as this is gone down to
WELL_KNOWN = 0.0013  # m: a spot that is known as well as this is gone down to without another look
GATE = 0.045  # m over the board's top: above it, looking costs nothing
LOW = 0.022  # m over the board's top: below it the hand finishes what it began
PATIENCE = 6  # looks that it waits for at the gate
WAIT, LONGEST_WAIT = 2, 40  # actions between them; and between looks that show nothing, more each time
REST = 400  # actions at once when all is done: nobody needs to look
SETTLED = 24  # actions after the release, before it rests
MOVING = 0.003  # m: a commanded target that goes this far is not waiting
RISE = 0.07  # m, height that it rises to after closing on nothing


class KeypointPolicy(Policy):
    """A small modular policy from pictures; docs/keypoint.md says how it works.

    Args:
        checkpoint: file of ``bomb train small-keypoint``; None takes the one that comes with BOMB.

    Raises:
        FileError: if it cannot be read.
    """

    cameras = CAMERAS
    image_size = IMAGE_SIZE
    modalities = ("rgb",)
    wants_action_spec = True

    def __init__(self, checkpoint: str | None = None):
        self._file = SHIPPED if checkpoint is None else Path(checkpoint)
        self._model: KeypointModel | None = read_model(self._file)

    def reset(  # type: ignore[override]  # see wants_action_spec
        self, instruction: str, seed: int, *, action_spec: ActionSpec
    ) -> None:
        """Begins an episode.

        Raises:
            ConventionError: if actions come at another rate than it learned.
        """
        if action_spec.control_hz != CONTROL_HZ:
            raise ConventionError(f"keypoint acts {CONTROL_HZ} times a second, not {action_spec.control_hz}")
        self._spec = action_spec
        self._placed = False
        self._commanded: npt.NDArray[np.float64]  # from the first look on, where the tool is then
        self._opening = 1.0
        self._belief = SceneBelief(self._loaded())
        self._begin(instruction)

    def proceed(self, instruction: str) -> None:
        """Continues with the next move; the board stays where it was seen."""
        self._begin(instruction)

    def reword(self, instruction: str) -> None:
        """Other words from now on, about the same move; nothing that was seen or done is forgotten."""
        self._read: Read = self._loaded().reader.read(instruction)

    @property
    def belief(self) -> SceneBelief:
        """What it believes of the scene, after the last look of the episode."""
        return self._belief

    @property
    def reading(self) -> Read:
        """What it took the words to say."""
        return self._read

    @property
    def gripper(self) -> GripperHistory:
        """What it takes the gripper to have done."""
        return self._history

    def _begin(self, instruction: str) -> None:
        self.reword(instruction)
        self._history = GripperHistory()
        self._belief.forget_stone()
        self._waited = self._nothing = 0

    def _loaded(self) -> KeypointModel:
        if self._model is None:
            raise ConventionError("the policy is closed")
        return self._model

    def act(self, observation: dict[str, Any]) -> npt.NDArray[np.float32]:
        """The next actions, float32[k, 4].

        Raises:
            ConventionError: if a picture is missing, or of another size.
        """
        state = np.asarray(observation["state"], dtype=np.float64)
        if not self._placed:
            self._placed, self._commanded = True, state[:3].copy()
        self._history.saw(float(state[3]))
        pictures = {camera: self._picture(observation, camera) for camera in CAMERAS}
        history = self._history
        if history.released and history.since >= SETTLED:
            return self._acted(np.tile(self._commanded, (REST, 1)), np.ones(REST))
        if not history.released:
            self._belief.look(pictures, state, self._read, holds=history.holds)
        if history.missed:
            return self._recover()
        goal = self._belief.goal(self._read)
        stone = self._belief.stone
        if goal is None or (stone is None and not history.holds):
            self._nothing += 1
            count = min(WAIT * self._nothing, LONGEST_WAIT)
            return self._acted(np.tile(self._commanded, (count, 1)), np.full(count, self._opening))
        error = goal.error if history.holds or stone is None else stone.error
        return self._move(state, (stone or goal).place, goal.place, error)

    def _move(
        self,
        state: npt.NDArray[np.float64],
        stone: npt.NDArray[np.float64],
        goal: npt.NDArray[np.float64],
        error: float,
    ) -> npt.NDArray[np.float32]:
        history = self._history
        targets, openings = self._loaded().hand.plan(
            Situation(
                commanded=self._commanded, state=state, opening=self._opening, since=history.since,
                holds=history.holds, released=history.released, stone=stone, goal=goal,
            )
        )  # fmt: skip
        if history.released:
            return self._acted(targets, openings)
        spot = goal if history.holds else stone
        count = self._length(targets, openings, spot, error)
        if count == 0:
            self._waited += 1
            # It stays at its height over the spot and looks again.
            here = np.append(spot, self._commanded[2])
            return self._acted(np.tile(here, (WAIT, 1)), np.full(WAIT, self._opening))
        count = max(count, self._until_it_moves(targets, openings))
        return self._acted(targets[:count], openings[:count])

    def _until_it_moves(self, targets: npt.NDArray[np.float64], openings: npt.NDArray[np.float64]) -> int:
        """How many actions of a chunk pass before anything happens.

        The expert waits here and there. Of a plan to wait and then to go on no part may be cut off that ends
        before it moves: the next plan would be the same.
        """
        away = np.abs(targets - self._commanded).max(1) > MOVING
        turned = (openings < HALF) != (self._opening < HALF)
        happens = np.flatnonzero(away | turned)
        return int(happens[0]) + 2 if len(happens) else CHUNK

    def _length(
        self,
        targets: npt.NDArray[np.float64],
        openings: npt.NDArray[np.float64],
        spot: npt.NDArray[np.float64],
        error: float,
    ) -> int:
        """How much of a chunk is carried out before the next look; 0: it has to look before it goes down."""
        closed = self._opening < HALF
        changes = np.flatnonzero((openings < HALF) != closed)
        here = self._commanded
        beside = np.linalg.norm(targets[:, :2] - spot, axis=1)
        nearby = np.linalg.norm(here[:2] - spot) < NEAR
        if here[2] < LOW or (nearby and error < WELL_KNOWN):
            return CHUNK if not len(changes) else min(CHUNK, int(changes[0]) + 7)
        if error > SURE and self._waited < PATIENCE:
            below = np.flatnonzero((targets[:, 2] < GATE) & (beside < NEAR))
            if len(below):
                first = int(below[0])
                return min(first, STRIDE) if here[2] > GATE + 1e-3 else 0
        if nearby:
            return STRIDE_NEAR
        near = np.flatnonzero(beside < 0.5 * NEAR)
        stride = STRIDE_HOLDING if self._history.holds else STRIDE
        return max(1, min(stride, int(near[0]) + 1 if len(near) else stride))

    def _recover(self) -> npt.NDArray[np.float32]:
        """After closing on nothing: opens, rises, and forgets where the stone was thought to be."""
        self._belief.forget_stone()
        self._waited = 0
        here = self._commanded
        up = [here, here, *(np.append(here[:2], min(RISE, here[2] + 0.02 * k)) for k in range(1, 5))]
        up = [np.maximum(point, here) for point in up]
        return self._acted(np.array(up), np.ones(len(up)))

    def _acted(
        self, targets: npt.NDArray[np.float64], openings: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        """The actions that lead along commanded targets; what they add up to is remembered."""
        actions = []
        for target, opening in zip(targets, openings, strict=True):
            action = self._spec.towards(self._commanded, self._spec.clip(target), float(opening))
            self._commanded = np.array(self._spec.advance(self._commanded, action))
            self._opening = float(opening)
            self._history.acted(self._opening)
            actions.append(action)
        return np.array(actions, dtype=np.float32)

    def _picture(self, observation: dict[str, Any], camera: str) -> npt.NDArray[np.uint8]:
        picture: npt.NDArray[np.uint8] | None = observation.get("images", {}).get(camera)
        if picture is None or picture.shape != (*IMAGE_SIZE, 3):
            shape = None if picture is None else picture.shape[:2]
            raise ConventionError(f"keypoint needs pictures of {camera}, {IMAGE_SIZE} pixels; got {shape}")
        return picture

    def describe(self) -> dict[str, Any]:
        """The checkpoint and what its card says of the data."""
        model = self._loaded()
        return {
            "checkpoint": self._file.name,
            "sha256": model.card["sha256"],
            "parameters": model.parameters,
            "memory_mb": round(4 * model.parameters / 2**20, 2),
            "trained_on": model.card["trained_on"],
            "control_hz": CONTROL_HZ,
        }

    def close(self) -> None:
        """Frees the weights. A second call does nothing."""
        self._model = None
