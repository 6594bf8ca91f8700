"""Bounds of rows that miss theirs: what is reached today; ``python -m scripts.contact_bounds`` writes them.

Measured on the split `calibration`, tested on others. docs/parity.md names the causes.
"""

REACHED: dict[str, float] = {
    "press_mm": 0.95,
    "drag_lightly_mm": 3.9,
    "drag_hard_mm": 4.3,
    "tilted_drop_mm": 27.0,
    "tilted_drop_kappa": -0.12,
    "throw_mm": 1.8,
    "throw_bias_mm": 1.8,
    "slide_mm": 0.85,
    "roll_mm": 127.0,
    "roll_bias_mm": 127.0,
    "spin_mm": 12.0,
    "spin_bias_mm": 12.0,
    "topple_bias_mm": 42.0,
    "topple_moved": 0.63,
    "random_table_mm": 28.0,
    "random_board_moved": 0.63,
    "from_above_mm": 5.2,
    "from_above_kappa": 0.23,
    "rim_kappa": 0.39,
    "two_stones_mm": 120.0,
}
