"""From goals to judges: regions of the table in the board's frame, and stones by where they stand."""

from dataclasses import replace
from math import cos, pi, sin

import numpy as np
import pytest

from core.board.boards import empty_board, with_cell
from core.board.goals import Intersection, Region
from core.board.layout import lay_out
from core.errors import EpisodeInitializationError
from core.judge.measuring import Measurer, stone_colors
from core.judge.move_judge import judge_arguments, region_in_board
from core.world.kinematics import Kinematics
from core.world.rotations import Pose, quaternion_about_z
from core.world.stage import TRAY, clean_scene

SCENE = clean_scene()
REGION = Region(color="black", center=TRAY.center, half_size=TRAY.half_size)


@pytest.mark.parametrize("yaw", [pi, pi + 0.3, 0.0, pi / 2])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.02, -0.01)])
def test_a_region_stays_on_the_table_when_the_board_is_moved(yaw, shift):
    """Corners of the region in W, taken into B, are the corners that the judge is told."""
    p_WB = (shift[0], -0.15 + shift[1], 0.75)
    scene = replace(SCENE, board=replace(SCENE.board, X_WB=Pose(p_WB, quaternion_about_z(yaw))))
    x, y, half_x, half_y, turn = region_in_board(scene, REGION)
    radius = scene.stones[0].radius
    for sx in (-1, 1):
        for sy in (-1, 1):
            told = np.array([x, y]) + [
                cos(turn) * sx * half_x - sin(turn) * sy * half_y,
                sin(turn) * sx * half_x + cos(turn) * sy * half_y,
            ]
            in_world = [cos(yaw) * told[0] - sin(yaw) * told[1], sin(yaw) * told[0] + cos(yaw) * told[1]]
            corner = np.array(TRAY.center) + [
                sx * (TRAY.half_size[0] - radius),
                sy * (TRAY.half_size[1] - radius),
            ]
            assert np.array(p_WB[:2]) + in_world == pytest.approx(corner, abs=1e-9)


def test_a_stone_is_named_by_where_it_stands():
    board = with_cell(with_cell(empty_board(5), (1, 2), 2), (4, 0), 1)
    state = lay_out(SCENE, board=board, table={"black": 2, "white": 2}, rng=np.random.default_rng(0))
    frame = Measurer(SCENE, Kinematics(SCENE.robot))(state)
    colors = stone_colors(SCENE, state)
    (asked,) = judge_arguments(SCENE, replace(REGION, source=(4, 0)), colors, frame.measures)
    stone = asked["goal_stone"]
    assert (colors[stone], frame.measures["row"][stone], frame.measures["column"][stone]) == (1, 4, 0)
    goal = Intersection(color="black", row=0, column=0, source=(1, 2))
    with pytest.raises(EpisodeInitializationError, match=r"the black stone on \(1, 2\), where none stands"):
        judge_arguments(SCENE, goal, colors, frame.measures)
