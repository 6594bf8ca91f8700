"""Bounds of rows that miss theirs: what is reached today; ``python -m scripts.contact_bounds`` writes them.

Measured on the split `calibration`, tested on others. docs/parity.md names the causes.
"""

REACHED: dict[str, float] = {
    "press_mm": 1.1,
    "press_bias_mm": 0.78,
    "press_moved": 0.81,
    "push_table_mm": 1.3,
    "push_board_mm": 1.2,
    "drag_lightly_mm": 1.7,
    "drag_hard_mm": 3.7,
    "drag_hard_bias_mm": 0.78,
    "tilted_drop_mm": 6.6,
    "tilted_drop_kappa": 0.36,
    "throw_mm": 1.9,
    "throw_bias_mm": 1.9,
    "slide_mm": 0.78,
    "roll_mm": 41.0,
    "roll_bias_mm": 48.0,
    "topple_mm": 35.0,
    "topple_bias_mm": 19.0,
    "topple_moved": 0.68,
    "random_table_mm": 12.0,
    "random_table_moved": 0.64,
    "random_board_mm": 13.0,
    "random_board_moved": 0.67,
    "near_miss_kappa": 0.57,
    "rim_kappa": 0.44,
    "edge_mm": 4.8,
    "edge_moved": 0.78,
    "edge_kappa": 0.47,
    "neighbour_moved": 0.81,
    "neighbour_kappa": 0.67,
    "two_stones_mm": 4.3,
    "two_stones_kappa": -0.1,
}
