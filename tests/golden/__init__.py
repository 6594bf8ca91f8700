"""Golden games: how an episode of each task goes when the expert plays it, as text that people can read."""
