"""A bright spot on the lens: a knob of sensors, each camera with a spot of its own."""

import numpy as np

from core import Level, Perturbation, Touches

RADIUS = 0.25  # of the picture's height
BRIGHTEST = 200  # of 255 at severity 5


class Glare(Perturbation):
    """Light falls onto the lens and brightens a round spot of the picture."""

    name = "glare"
    family = "image"
    touches = Touches.SENSOR
    unit = "brightness of the spot's middle, in 1/255"
    levels = ("40", "80", "120", "160", "200")
    statistic = "mean absolute difference of the picture from the clean one"
    per_camera = True

    def draw(self, rng: np.random.Generator, level: Level) -> dict:
        return {"center": rng.uniform(0.2, 0.8, 2).tolist(), "strength": BRIGHTEST * level / 5}

    def develop(self, picture: np.ndarray, draw: dict, rng: np.random.Generator) -> np.ndarray:
        height, width = picture.shape[:2]
        y, x = np.mgrid[:height, :width]
        row, column = draw["center"]
        far = np.hypot(y - row * height, x - column * width) / (RADIUS * height)
        spot = draw["strength"] * np.exp(-(far**2))
        return np.clip(picture + spot[..., None] + 0.5, 0, 255).astype(np.uint8)
