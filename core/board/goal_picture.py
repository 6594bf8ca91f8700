"""A picture of what is wanted: the board from straight above, drawn by code, with stones as discs.

It is not an observation: observations hold the same keys in every task. A policy that declares
``wants_goal_picture`` is given it when an episode begins (``core.Policy``).
"""

import numpy as np
import numpy.typing as npt

from core.board.boards import COLOR_NAMES, Board, cells
from core.world.scene import SceneSpec
from core.world.textures import board_texture, make_texture, srgb_encode

SUBSAMPLES = 4  # along each side of a pixel, at the edges of stones


def goal_picture(scene: SceneSpec, board: Board, size: int = 256) -> npt.NDArray[np.uint8]:
    """uint8[size, size, 3], sRGB: row 0 at the top and column 0 on the left, as in the head picture.

    The same board gives the same bytes in every backend, whatever the lights and cameras are.
    """
    texture = make_texture(board_texture(scene.board))
    fine = size * SUBSAMPLES
    rows = np.arange(fine) * texture.shape[0] // fine
    columns = np.arange(fine) * texture.shape[1] // fine
    picture = texture[rows[:, None], columns].astype(np.float32)
    # Pixel centres in the board frame (m), x to the right and y up the picture.
    along = ((np.arange(fine) + 0.5) / fine - 0.5) * scene.board.width
    radius = scene.stones[0].radius
    colors: dict[str, np.ndarray] = {
        stone.color: srgb_encode(np.array(stone.material.color)) * 255 for stone in scene.stones
    }
    for row, column in cells(board, occupied=True):
        x, y = scene.board.point(row, column)
        inside = (along - x) ** 2 + (-along[:, None] - y) ** 2 <= radius**2
        picture[inside] = colors[COLOR_NAMES[board[row][column]]]
    picture = picture.reshape(size, SUBSAMPLES, size, SUBSAMPLES, 3).mean(axis=(1, 3))
    drawn: npt.NDArray[np.uint8] = (picture + 0.5).astype(np.uint8)
    return drawn
