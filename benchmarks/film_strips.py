"""Strips of an episode for ``reason_films``: what a person needs to judge it, and nothing that judges.

Pictures from close by, from above and from the side, a curve of heights, and numbers of where stones
are at the end: all of it from the engine's states alone.
"""

from dataclasses import dataclass, replace

import numpy as np

from bomb.pictures.images import PAPER, captioned, grid
from bomb.pictures.views import goal_in_world, outlined, outlines
from core.board.goals import Goal
from core.registry import BACKENDS
from core.world.kinematics import Kinematics
from core.world.rotations import inverse, matrix_from_quaternion
from core.world.scene import CameraSpec, SceneSpec
from core.world.state import ARM_JOINTS, SceneState

PIXELS, MOMENTS, GAP = 150, 10, 6
VIEWS = {"above": (1.0, 1.0), "side": (1.0, 0.10)}  # how far to the back and up the camera stands, in shares
AWAY, FOVY = 0.55, np.radians(13.0)  # m, rad
INKS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd")
MOVED = 0.003  # m: a stone that moved less is not spoken of
RADIUS = 0.0133  # m, of the ring: a third more than the tolerance


@dataclass(frozen=True, kw_only=True)
class Course:
    """What happened: ``states`` at reset and after every action, ``openings`` asked for by each action."""

    scene: SceneSpec
    goal: Goal
    words: str
    states: list[SceneState]
    openings: np.ndarray
    control_hz: int


class Strips:
    """Draws courses with MuJoCo's renderer, whichever engine played them."""

    def __init__(self) -> None:
        self._world = None

    def draw(self, course: Course, title: str) -> np.ndarray:
        """The strip of one episode, uint8[H, W, 3]."""
        told = Told(course)
        wanted = moments(course.openings)
        rows: dict[str, list[np.ndarray]] = {name: [] for name in VIEWS}
        for step in wanted:
            state = course.states[step]
            for name, frame in self._look(course, state, told.centre(step)).items():
                words = f"{step / course.control_hz:.2f} s"
                if name == "side":
                    words = f"open {told.opening(step):.0f} mm, tool {told.tool_height(step):.0f}"
                rows[name].append(captioned(frame, words, above=True))
        blank = np.full_like(rows["above"][0], 235)
        pictures = grid([[*row, *[blank] * MOMENTS][:MOMENTS] for row in rows.values()])
        width = pictures.shape[1]
        lines = [line_of(f"{title}: {course.words}", width), pictures, told.curve(width)]
        return np.concatenate([*lines, *(line_of(words, width) for words in told.end())])

    def close(self) -> None:
        """Frees the renderer."""
        if self._world is not None:
            self._world.close()

    def _look(self, course: Course, state: SceneState, centre: np.ndarray) -> dict[str, np.ndarray]:
        cameras = tuple(camera(name, centre) for name in VIEWS)
        scene = replace(course.scene, cameras=cameras)
        if self._world is None:
            self._world = BACKENDS.load("mujoco")()
            self._world.build(scene, image_size=(PIXELS, PIXELS), supersample=1)
        self._world.reset(scene, state)
        lines = outlines(course.scene, course.goal, RADIUS)
        return {
            view.name: outlined(self._world.render(view.name, ("rgb",)).colors, view, lines)
            for view in cameras
        }


def camera(name: str, centre: np.ndarray) -> CameraSpec:
    """One that looks at a point of W from where the arm is not."""
    back, up = VIEWS[name]
    forward = np.array([0.0, -back, -up]) / np.hypot(back, up)
    return CameraSpec(name=name, eye=tuple(centre - AWAY * forward), forward=tuple(forward), fovy=FOVY)


def moments(openings: np.ndarray) -> list[int]:
    """Steps to draw, out of actions: the end and what was just before, closings and openings, and between."""
    last = len(openings)
    chosen = {max(0, last - d) for d in (0, 5, 15, 30)}
    flips = 1 + np.flatnonzero(np.diff(openings > 0.3))
    near = [int(k) + d for k in flips[-4:] for d in (-1, 8)]
    for k in near[::-1]:
        if len(chosen) < MOMENTS - 2 and 0 < k < last and min(abs(k - other) for other in chosen) > 3:
            chosen.add(k)
    while len(chosen) < min(MOMENTS, last + 1):  # in the widest gap
        edges = sorted({0, *chosen})
        gap = max(range(len(edges) - 1), key=lambda k: edges[k + 1] - edges[k])
        chosen.add((edges[gap] + edges[gap + 1]) // 2)
    return sorted(chosen)


def line_of(words: str, width: int) -> np.ndarray:
    """A line of small text, uint8[20, width, 3]."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (width, 20), PAPER)
    font = ImageFont.load_default(size=14)
    ImageDraw.Draw(picture).text((5, 10), words, fill=(20, 20, 20), font=font, anchor="lm")
    return np.asarray(picture)


class Told:
    """Heights, speeds and places of one course."""

    def __init__(self, course: Course):
        self._course = course
        scene, states = course.scene, course.states
        kinematics = Kinematics(scene.robot)
        X_BW = inverse(scene.board.X_WB)
        self._R, self._p = matrix_from_quaternion(X_BW.q), np.array(X_BW.p)
        self._tool = np.array(
            [kinematics.tool_pose(state.joint_positions[:ARM_JOINTS].astype(float))[0] for state in states]
        )
        self._R_WT = kinematics.tool_pose(states[-1].joint_positions[:ARM_JOINTS].astype(float))[1]
        self._places = np.array([state.stone_poses[:, :3] for state in states], dtype=float)
        far = np.linalg.norm(self._places - self._places[0], axis=-1)
        order = np.argsort(-far.max(axis=0))
        self._moved = [int(k) for k in order if far[:, k].max() > MOVED][: len(INKS)]

    def opening(self, step: int) -> float:
        """Between the pads (mm)."""
        return 1e3 * float(self._course.states[step].joint_positions[7:].sum())

    def tool_height(self, step: int) -> float:
        """Of the tool centre point above the board's top (mm)."""
        return 1e3 * float(self._in_board(self._tool[step])[2])

    def centre(self, step: int) -> np.ndarray:
        """Where to look, in W: at the tool; at the end at the stone that moved farthest."""
        last = step >= len(self._places) - 6
        return self._places[step, self._moved[0]] if last and self._moved else self._tool[step]

    def curve(self, width: int) -> np.ndarray:
        """Heights above the board's top and the opening over time, uint8[H, width, 3]."""
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot

        dpi, steps = 80, range(len(self._places))
        drawn, axes = pyplot.subplots(figsize=(width / dpi, 120 / dpi), dpi=dpi)
        times = np.array(steps) / self._course.control_hz
        axes.plot(times, [self.tool_height(k) for k in steps], color="0.6", lw=1, label="tool height")
        axes.plot(times, [self.opening(k) for k in steps], color="0.2", lw=1, ls=":", label="opening")
        for ink, stone in zip(INKS, self._moved, strict=False):
            heights = 1e3 * self._in_board(self._places[:, stone])[:, 2]
            axes.plot(times, heights, color=ink, lw=1.3, label=self._name(stone))
        axes.set_ylim(-15, 90)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=7)
        axes.set_xlim(0, times[-1])
        axes.legend(fontsize=7, loc="upper left", ncols=6)
        drawn.subplots_adjust(left=0.025, right=0.995, top=0.98, bottom=0.16)
        drawn.canvas.draw()
        picture = np.asarray(drawn.canvas.buffer_rgba())[..., :3].copy()
        pyplot.close(drawn)
        out = np.full((picture.shape[0], width, 3), 250, np.uint8)
        out[:, : picture.shape[1]] = picture[:, :width]
        return out

    def end(self) -> list[str]:
        """A line on each stone that moved, as it is at the end."""
        course, state = self._course, self._course.states[-1]
        goal = self._in_board(goal_in_world(course.scene, course.goal))
        tool = self._in_board(self._tool[-1])
        pitch = course.scene.board.pitch
        lines = []
        for stone in self._moved:
            p, begin = self._in_board(self._places[-1, stone]), self._in_board(self._places[0, stone])
            velocity = np.linalg.norm(state.stone_velocities[stone].reshape(2, 3), axis=1)
            axis = matrix_from_quaternion(state.stone_poses[stone, 3:].astype(float))[:, 2]
            lean = np.degrees(np.arccos(min(1.0, abs(float(self._R[2] @ axis)))))
            # The tool's y is the opening direction.
            across, along = 1e3 * np.abs(self._R_WT.T @ (self._places[-1, stone] - self._tool[-1]))[:2]
            far = float(np.linalg.norm((p - goal)[:2]))
            lines.append(
                f"{self._name(stone)}: {1e3 * far:.1f} mm from the goal ({far / pitch:.2f} squares); "
                f"centre {1e3 * p[2]:.1f} mm above the board's top, leaning {lean:.0f} deg; "
                f"{1e3 * velocity[0]:.1f} mm/s, {velocity[1]:.2f} rad/s; "
                f"{1e3 * np.linalg.norm(p - begin):.0f} mm from its start; "
                f"from the tool {along:.1f} mm along the opening, {across:.1f} across, "
                f"{1e3 * (p - tool)[2]:+.1f} in height"
            )
        return lines or ["no stone moved by 3 mm"]

    def _name(self, stone: int) -> str:
        pool = int(self._course.states[0].stone_ids[stone])
        inks = dict(zip(INKS, ("red", "blue", "green", "violet"), strict=True))
        ink = inks[INKS[self._moved.index(stone)]]
        return f"{self._course.scene.stones[pool].color} stone ({ink} line)"

    def _in_board(self, p_W: np.ndarray) -> np.ndarray:
        return p_W @ self._R.T + self._p
