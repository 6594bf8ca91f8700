"""`make demo`: the main job in a few minutes, on one page."""
