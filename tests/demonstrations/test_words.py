"""What an export says when it is asked for other words: every move of a game, not only the first."""

import re

from bomb.exports.plan import make_plan
from bomb.exports.settings import ExportSettings


def test_every_move_of_a_demonstration_is_said_in_other_words(games):
    settings = ExportSettings(format="lerobot", backend="mujoco", perturbations={"words": "letters"})
    (episode,) = make_plan(games, settings, lambda demonstration, actions: (actions, actions)).episodes
    recorded = games.load(games.seeds()[0]).instructions
    assert len(episode.instructions) == len(recorded) > 1
    for clean, said in zip(recorded, episode.instructions, strict=True):
        if "winning move" in clean:
            assert said.text == clean
        else:
            row, column = map(int, re.findall(r"\d", clean))
            assert f"{'ABCDE'[column]}{row + 1}" in said.text and "row" not in said.text
