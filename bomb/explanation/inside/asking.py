"""Questions to a VLA, whose score and words can be reached; ``bomb.explanation.asking`` says the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from bomb.explanation.asking import Asker, Change, Question, Scored
from bomb.explanation.grids import Grid
from bomb.explanation.inside.memory import Rows
from bomb.explanation.inside.sharing import shared_pictures
from bomb.models.answers import Reference, Scores
from bomb.models.batches import Batch
from bomb.models.requests import Request
from bomb.models.vla import VLA

_WORDS = {
    "tokens": "the forced log-probability of the clean action's tokens",
    "flow": "minus the distance of the flow's end point from the clean one, from the same noise",
    "regression": "minus the distance from the clean chunk, in {unit}, plus its gripper's log-likelihood",
    "distance": "minus the distance from the clean chunk, in {unit}",
}


class ModelAsker(Asker):
    """A VLA.

    Args:
        vla: in evaluation mode.
        most: rows of a batch, at most; fewer where memory is short.
    """

    hiding_words = "the attention columns of the words' tokens are masked in every layer, at fixed positions"

    def __init__(self, vla: VLA, *, most: int = 16):
        self.vla, self.rows = vla, Rows(vla, most)
        self.history = vla.settings.history
        self._kind = "distance"

    @property
    def score_words(self) -> str:  # type: ignore[override]
        """Known once something was decided."""
        return _WORDS[self._kind].format(unit=self.vla.scored_in)

    @property
    def grids(self) -> Mapping[str, Grid]:
        return {
            camera: Grid(rows=grid.rows, cols=grid.cols, box=grid.box)
            for camera, grid in self.vla.anatomy.grids.items()
        }

    @torch.no_grad()
    def decide(self, question: Question) -> tuple[np.ndarray, Reference]:
        self.forwards += 1
        batch = self.vla.encode([self.request(question)])
        reference = self.vla.decide(batch, seeds=[(question.seed, question.step)])
        told = {"tokens": "tokens", "noise": "flow", "bits": "regression"}
        self._kind = next((kind for key, kind in told.items() if key in reference.raw), "distance")
        return reference.actions[0], reference

    @torch.no_grad()
    def score(self, question: Question, reference: Reference, changes: Sequence[Change]) -> Scored:
        def ask(part: Sequence[Change]) -> Scored:
            batch = self.encode(question, part)
            return scored(self.vla.score(batch, reference.select([0] * len(batch))))

        self.forwards += len(changes)
        with shared_pictures(self.vla):
            return Scored.joined(self.rows.run(changes, ask))

    @torch.no_grad()
    def act(self, question: Question, changes: Sequence[Change]) -> list[np.ndarray]:
        def ask(part: Sequence[Change]) -> np.ndarray:
            seeds = [(question.seed, question.step)] * len(part)
            return self.vla.act(self.encode(question, part), seeds=seeds)

        self.forwards += len(changes)
        with shared_pictures(self.vla):
            return [one[0] for chunk in self.rows.run(changes, ask) for one in chunk]

    def encode(self, question: Question, changes: Sequence[Change]) -> Batch:
        """The changed questions as one batch."""
        requests = [self.request(question, change) for change in changes]
        batch = self.vla.encode(requests)
        self.rows.seen(batch.attention_mask.shape[1])
        hidden = torch.zeros_like(batch.attention_mask)
        for row, change in enumerate(changes):
            for span in change.hidden:
                hidden[row, torch.from_numpy(batch.layouts[row].words(span.start, span.end))] = True
        return batch.hide(hidden) if bool(hidden.any()) else batch

    def request(self, question: Question, change: Change | None = None) -> Request:
        """A question as the model takes it."""
        observation = question.observation if change is None else change.of(question.observation)
        request = Request.from_observation(observation, question.history, memory=question.remembered)
        if change is not None and change.instruction is not None:
            earlier = tuple(replace(one, instruction=change.instruction) for one in request.history)
            request = replace(request, history=earlier)
        return request


def scored(scores: Scores) -> Scored:
    """Scores in numpy."""
    return Scored(
        total=scores.total.double().cpu().numpy(),
        groups={name: values.double().cpu().numpy() for name, values in scores.groups.items()},
    )
