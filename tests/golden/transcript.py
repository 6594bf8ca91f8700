"""An episode as text: words, goal, the board after each move, and what the judge said."""

from pathlib import Path

import core
from bomb.policies.expert import Expert
from core.board.boards import draw_board
from core.board.goals import Goal, Intersection, Region

FOLDER = Path(__file__).resolve().parent
SPLIT = "ci"
SEEDS = {"copy_pattern": 1, "four_in_a_row": 1, "go_sequence": 1, "tic_tac_toe": 3}
DEFAULT_SEED = 0


def golden_file(task: str) -> Path:
    """Where the golden game of a task is kept."""
    return FOLDER / f"{task}.txt"


def transcript(task: str, backend: str) -> str:
    """Plays the golden episode of a task. No measured number is in the text: every engine gives the same."""
    seed = SEEDS.get(task, DEFAULT_SEED)
    with core.make_task(task, backend=backend, cameras=(), split=SPLIT, stop_on_success=True) as env:
        expert = Expert()
        observation, info = env.reset(seed=seed)
        expert.reset(observation["instruction"], seed, episode=env.episode, action_spec=env.action_spec)
        lines = [f"{task}, split {SPLIT}, seed {seed}", "", draw_board(info["placement"]["occupancy"])]
        move, over, done = env.move, False, 0
        lines += _asked(move)
        while not over:
            observation, _, terminated, truncated, info = env.step(
                expert.act(observation, truth=env.scene_state)[0]
            )
            over = terminated or truncated
            if len(info["moves"]["placements"]) > done:
                lines += _done(info["moves"]["placements"][done])
                done += 1
            if env.move is not move and not over:
                move = env.move
                lines += _asked(move)
                expert.proceed(observation["instruction"], move=move)
        lines += ["", f"success: {info['success']}, {done} moves done, {len(info['moves']['wrong'])} wrong"]
    return "\n".join(lines) + "\n"


def _asked(move) -> list[str]:
    replies = [f"the opponent plays {_describe(reply)}" for reply in move.replies]
    return [*replies, "", f"words: {move.instruction.text}", f"goal: {_describe(move.goal)}"]


def _done(placement: dict) -> list[str]:
    near = placement["distance_mm"] < 3.0
    region = placement["goal"]["kind"] == "region"
    verdict = "in the region" if region else "within 3 mm" if near else "beyond 3 mm"
    rules = {None: "no rules", True: "legal", False: "illegal"}[placement["legal"]]
    return [f"done: {verdict}, {rules}", draw_board(placement["board"])]


def _describe(goal: Goal) -> str:
    if isinstance(goal, Intersection):
        text = f"{goal.color} on ({goal.row}, {goal.column})"
    elif isinstance(goal, Region):
        text = f"{goal.color} into the region"
    else:
        return " or ".join(_describe(stone) for stone in goal.stones)
    return text if goal.source is None else f"{text}, from ({goal.source[0]}, {goal.source[1]})"
