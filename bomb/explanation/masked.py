"""``masked(POLICY, span='row')``: the policy inside plays episodes with a part of what it is told hidden.

Paired with the unmasked run on the same seeds this says whether what is hidden was needed for success, not
only for the next action.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bomb.explanation.asking import COARSE
from bomb.explanation.grids import Grid
from bomb.explanation.occluders import OCCLUDERS, occlude
from bomb.explanation.regions import camera_in_world, chosen_stone, target_mask
from bomb.explanation.spans import spans_of, without
from bomb.policies.wrappers import Batched, Wrapper
from core.control.actions import ActionSpec
from core.errors import Number, OptionError, check_choice
from core.policy import BatchPolicy, Policy
from core.task import Episode, Move
from core.world.scene import SceneSpec, SegmentationId
from core.world.state import SceneState

SPANS = ("color", "board", "row", "column", "row_digit", "column_digit", "place", "from_row", "from_column")
REGIONS = ("stone", "target", "gripper")
WORDS = ("attention", "text")
AROUND = 2  # pixels around a region that are hidden with it: its shadow's rim, and the filter's width


class Masked(Wrapper):
    """Hides one thing: a span of the instruction, patches of the picture, or a region that moves along.

    Args:
        policy: the one inside.
        span: one of ``SPANS``; an instruction that has no such words is left as it is.
        words: ``"attention"`` masks the span's tokens at fixed positions, for policies that can; ``"text"``
            leaves the words out. None: attention where it can be done.
        patch: (row, column) of a patch, or several; hidden in every picture.
        grid: rows and columns of patches; None: the policy's own, or 8.
        region: one of ``REGIONS``, found by the simulator's truth: the policy then counts as privileged,
            though what is inside of it is not.
        occluder: what stands in its place, one of ``bomb.explanation.occluders.OCCLUDERS``.

    Raises:
        OptionError: unless exactly one thing is hidden, or where it cannot be.
        UnknownNameError: for another name, listing the valid ones.
    """

    batched: ClassVar[type["Wrapper"]]

    @classmethod
    def around(cls, policy: Policy, **options: Any) -> Wrapper:
        """The wrapper around ``policy``; with a region it stays beside the environment that has the truth."""
        together = isinstance(policy, BatchPolicy) and options.get("region") is None
        return (cls.batched if together else Masked)(policy, **options)

    @classmethod
    def check(cls, words: str, options: Mapping[str, Any]) -> None:
        """Returns if these are options of a mask; see the class."""
        _Mask(**options) if options.keys() <= _Mask.NAMES else _refuse(words, options)

    def __init__(self, policy: Policy, **options: Any):
        super().__init__(policy)
        self._mask = mask = _Mask(**options)
        if policy.privileged and not mask.span:
            raise OptionError(
                f"{type(policy).__name__} is privileged: hiding pictures from it changes nothing"
            )
        self._by_attention = False
        self._episode: Episode | None = None  # where a region is hidden
        if mask.span:
            hide_words = getattr(policy, "hide_words", None)
            able = hide_words is not None
            if mask.words == "attention" and not able:
                raise OptionError(
                    f"of {type(policy).__name__} nothing but its actions is known: say words='text'"
                )
            self._by_attention = able and mask.words != "text"
            if self._by_attention and hide_words is not None:
                hide_words(mask.characters)
        if mask.region:
            self.privileged = True
            self._shown = policy.modalities or ("rgb",)
            self.modalities = tuple(dict.fromkeys((*self._shown, "segmentation")))
            # A privileged policy is shown nothing unless it says so.
            self.cameras = policy.cameras or ("head",)

    # ---- what the policy inside is told -----------------------------------------------------

    def hear(self, instruction: str) -> str:
        if not self._mask.span or self._by_attention:
            return instruction
        for start, end in self._mask.characters(instruction):
            span = next(s for s in spans_of(instruction).values() if (s.start, s.end) == (start, end))
            return without(instruction, span)
        return instruction

    def see(self, observation: dict[str, Any]) -> dict[str, Any]:
        seen = {**observation, "instruction": self.hear(observation["instruction"])}
        if self._mask.patches:
            seen["images"] = {
                camera: self._mask.painted(picture, self._grid(camera))
                for camera, picture in observation.get("images", {}).items()
            }
        return seen

    def reset(
        self,
        instruction: str,
        seed: int,
        *,
        episode: Episode | None = None,
        action_spec: ActionSpec | None = None,
        **extras: Any,
    ) -> None:
        if self._mask.region:
            if episode is None:
                raise TypeError("a mask of a region needs the truth: reset it with episode=")
            self._episode, self._goal = episode, episode.goal
        if self.inside.privileged:
            extras["episode"] = episode
        if self.inside.privileged or self.inside.wants_action_spec:
            extras["action_spec"] = action_spec
        self.inside.reset(self.hear(instruction), seed, **extras)

    def proceed(self, instruction: str, *, move: Move | None = None, **extras: Any) -> None:
        if self._mask.region and move is not None:
            self._goal = move.goal
        if self.inside.privileged:
            extras["move"] = move
        self.inside.proceed(self.hear(instruction), **extras)

    def act(
        self, observation: dict[str, Any], *, truth: SceneState | None = None, **extras: Any
    ) -> npt.NDArray[np.float32]:
        seen = self.see(observation)
        if self._mask.region:
            if truth is None:
                raise TypeError("a mask of a region needs the truth: call act(observation, truth=SceneState)")
            if self._episode is None:
                raise TypeError("a mask of a region must be reset before it acts")
            seen = self._without_region(seen, self._episode.scene, truth)
        if self.inside.privileged:
            extras["truth"] = truth
        return self.inside.act(seen, **extras)

    def describe(self) -> dict[str, Any]:
        """What the policy inside says, and ``masked``: what is hidden, and how."""
        inside, mask = self.inside.describe(), self._mask
        how = {"words": "attention" if self._by_attention else "text"} if mask.span else {}
        return {**inside, "masked": {**mask.described(), **how}}

    # ---- inside -----------------------------------------------------------------------------

    def _grid(self, camera: str) -> Grid:
        if self._mask.grid is not None:
            return Grid(rows=self._mask.grid, cols=self._mask.grid)
        vla = getattr(self.inside, "vla", None)
        if vla is not None and camera in vla.anatomy.grids:
            own = vla.anatomy.grids[camera]
            return Grid(rows=own.rows, cols=own.cols, box=own.box)
        return COARSE

    def _without_region(
        self, observation: dict[str, Any], scene: SceneSpec, truth: SceneState
    ) -> dict[str, Any]:
        pictures = {}
        for camera, picture in observation["images"].items():
            shown = observation["segmentation"][camera]
            hidden = self._region(camera, shown, scene, truth, observation["state"])
            pictures[camera] = occlude(picture, _grown(hidden, AROUND), self._mask.occluder)
        seen = {**observation, "images": pictures}
        if "segmentation" not in self._shown:
            seen.pop("segmentation")
        return seen

    def _region(
        self,
        camera: str,
        segmentation: npt.NDArray[np.int32],
        scene: SceneSpec,
        truth: SceneState,
        state: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.bool_]:
        if self._mask.region == "gripper":
            return np.equal(segmentation, SegmentationId.GRIPPER)
        if self._mask.region == "stone":
            stone = chosen_stone(scene, self._goal, truth, state[:3])
            return np.equal(segmentation, -1 if stone is None else SegmentationId.STONE + stone)
        spec = next(spec for spec in scene.cameras if spec.name == camera)
        view = camera_in_world(spec, scene, truth)
        flat = np.isin(segmentation, (SegmentationId.BOARD, SegmentationId.TABLE, SegmentationId.MARK))
        height, width = segmentation.shape
        target: npt.NDArray[np.bool_] = target_mask((height, width), scene, self._goal, view)
        return target & np.asarray(flat, dtype=np.bool_)


class _BatchedMasked(Masked, Batched):
    def reset(self, instruction: str, seed: int, **extras: Any) -> None:
        Batched.reset(self, instruction, seed, **extras)

    def act(self, observation: dict[str, Any], **extras: Any) -> np.ndarray:
        return Batched.act(self, observation, **extras)


Masked.batched = _BatchedMasked


class _Mask:
    """What is hidden, checked."""

    NAMES = frozenset(("span", "words", "patch", "grid", "region", "occluder"))

    def __init__(
        self,
        *,
        span: str | None = None,
        words: str | None = None,
        patch: object = None,
        grid: int | None = None,
        region: str | None = None,
        occluder: str = "mean",
    ):
        if sum(value is not None for value in (span, patch, region)) != 1:
            raise OptionError("a mask hides one thing: span=, patch= or region=")
        if span is not None:
            check_choice("span", span, SPANS)
        if words is not None:
            check_choice("words", words, WORDS)
        if region is not None:
            check_choice("region", region, REGIONS)
        check_choice("occluder", occluder, OCCLUDERS)
        self.span, self.words, self.region, self.occluder = span, words, region, occluder
        self.patches = () if patch is None else _patches(patch)
        Number(least=1, optional=True).check("grid", grid)
        self.grid = grid

    def characters(self, instruction: str) -> Sequence[tuple[int, int]]:
        """[start, end) of what is hidden of an instruction; none where it has no such words."""
        found = spans_of(instruction).get(self.span or "")
        return () if found is None else ((found.start, found.end),)

    def painted(self, picture: np.ndarray, grid: Grid) -> np.ndarray:
        """A picture with its patches painted over."""
        numbers, hidden = grid.numbers(*picture.shape[:2]), np.zeros(picture.shape[:2], dtype=bool)
        for row, col in self.patches:
            if not (0 <= row < grid.rows and 0 <= col < grid.cols):
                raise OptionError(f"patch {(row, col)} is not among {grid.rows} x {grid.cols} patches")
            hidden |= numbers == row * grid.cols + col
        return occlude(picture, hidden, self.occluder, width=picture.shape[0] / grid.rows)

    def described(self) -> dict[str, Any]:
        """Plain values."""
        if self.span:
            return {"span": self.span}
        where = {"region": self.region} if self.region else {"patches": [list(at) for at in self.patches]}
        return {**where, **({"grid": self.grid} if self.patches else {}), "occluder": self.occluder}


def _patches(value: object) -> tuple[tuple[int, int], ...]:
    pairs = value if isinstance(value, (list, tuple)) else ()
    if len(pairs) == 2 and all(isinstance(k, int) for k in pairs):
        pairs = (pairs,)
    try:
        found = tuple((int(row), int(col)) for row, col in pairs)
    except (TypeError, ValueError):
        found = ()
    if not found:
        raise OptionError(f"patch must be (row, column) or several of them, got {value!r}")
    return found


def _refuse(words: str, options: Mapping[str, Any]) -> None:
    unknown = ", ".join(sorted(options.keys() - _Mask.NAMES))
    raise OptionError(f"policy {words!r} has no option {unknown}; valid: {', '.join(sorted(_Mask.NAMES))}")


def _grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The mask, and what is at most ``pixels`` away from it along a row or column."""
    grown = mask.copy()
    for axis in (0, 1):
        there = grown.copy()
        for shift in range(1, pixels + 1):
            for sign in (-1, 1):
                moved = np.roll(there, sign * shift, axis)
                edge = [slice(None)] * 2
                edge[axis] = slice(0, shift) if sign > 0 else slice(-shift, None)
                moved[tuple(edge)] = False
                grown |= moved
    return grown
