"""How a policy head on features answers: by regression, or by flow matching, as RoboVLMs compares them.

Features are of one moment or of several, the present one last; what is learned of earlier moments is what was
done from them on.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from bomb.models.codecs.actions import ActionCodec
from bomb.models.flow import flow_scores, noises_of, times_of
from bomb.models.flow_vla import SCORED
from bomb.models.gripper import bits_of, with_gripper
from bomb.models.heads.outputs import Outputs
from bomb.models.heads.regression import regression_losses, regression_scores
from bomb.models.losses import chunk_losses, learned
from bomb.models.settings import VLASettings
from bomb.models.vla import Batch, Losses, Reference, Scores
from core.errors import PolicyOutputError

Weights = Mapping[str, float] | None
Seeds = Sequence[tuple[int, int]]


class AnswerOptions(Protocol):
    """What an answer needs of a model's options."""

    @property
    def ratio(self) -> float: ...
    @property
    def loss(self) -> str: ...
    @property
    def steps(self) -> int: ...


class HeadNetwork(Protocol):
    """What an answer needs of a network."""

    @property
    def head(self) -> Outputs: ...


class Answerer(Protocol):
    """What an answer needs of a model, such as a ``bomb.models.continuous.ContinuousVLA``."""

    @property
    def settings(self) -> VLASettings: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def codec(self) -> ActionCodec: ...
    @property
    def options(self) -> AnswerOptions: ...
    @property
    def network(self) -> HeadNetwork: ...
    def read(self, batch: Batch) -> Tensor: ...


class Answering(ABC):
    """One way."""

    flows: ClassVar[bool]

    def loss(self, vla: Answerer, batch: Batch, weights: Weights, seeds: Seeds | None) -> Losses:
        """As ``VLA.loss``."""
        actions, valid = learned(batch)
        features = vla.read(batch)
        moments = features.shape[1]
        actions, valid = actions[:, None], valid[:, None]
        if moments > 1:
            actions = torch.cat([batch.inputs["past_actions"].float(), actions], dim=1)
            valid = torch.cat([batch.inputs["past_valid"], valid], dim=1)
        each = self.losses(
            vla, features.flatten(0, 1), actions.flatten(0, 1), valid.flatten(0, 1), weights, seeds
        )
        if moments == 1:
            return each
        share = valid.sum(-1).to(each.samples.dtype)
        samples = (each.samples.view_as(share) * share).sum(1) / share.sum(1).clamp(min=1)
        return replace(each, samples=samples)

    @abstractmethod
    def losses(
        self,
        vla: Answerer,
        features: Tensor,
        actions: Tensor,
        valid: Tensor,
        weights: Weights,
        seeds: Seeds | None,
    ) -> Losses:
        """The loss of features float[N, d], and of their actions; N is a multiple of the samples."""

    @abstractmethod
    def decide(self, vla: Answerer, batch: Batch, seeds: Seeds, sample: int = 0) -> Reference:
        """As ``VLA.decide``, of one sample."""

    @abstractmethod
    def score(self, vla: Answerer, batch: Batch, reference: Reference) -> Scores:
        """As ``VLA.score``."""


class Regression(Answering):
    """An arm and a gripper at once."""

    flows = False

    def losses(
        self,
        vla: Answerer,
        features: Tensor,
        actions: Tensor,
        valid: Tensor,
        weights: Weights,
        seeds: Seeds | None,
    ) -> Losses:
        arm, gripper = self.answer(vla, features)
        return regression_losses(
            arm,
            gripper,
            actions,
            bits_of(vla.codec, actions),
            valid,
            vla.codec.groups,
            weights=weights,
            ratio=vla.options.ratio,
            loss=vla.options.loss,
        )

    def answer(self, vla: Answerer, features: Tensor) -> tuple[Tensor, Tensor]:
        """The arm, float32[N, chunk, dims - 1], and the gripper's logits, float32[N, chunk]."""
        arm, gripper = vla.network.head.answer(features)
        return arm.float(), gripper.float()

    def decide(self, vla: Answerer, batch: Batch, seeds: Seeds, sample: int = 0) -> Reference:
        arm, gripper = self.answer(vla, vla.read(batch)[:, -1])
        if not (torch.isfinite(arm).all() and torch.isfinite(gripper).all()):
            raise PolicyOutputError("the model's actions are not finite")
        bits = (gripper > 0).float()
        actions = vla.codec.to_bomb(with_gripper(vla.codec, arm, bits).cpu().numpy())
        return Reference(actions=actions, raw={"arm": arm, "bits": bits})

    def score(self, vla: Answerer, batch: Batch, reference: Reference) -> Scores:
        arm, gripper = self.answer(vla, vla.read(batch)[:, -1])
        raw = {name: tensor.to(arm.device) for name, tensor in reference.raw.items()}
        return regression_scores(arm, gripper, raw["arm"], raw["bits"], vla.codec.groups)


class Flow(Answering):
    """Noise that flows to a chunk; t = 1 is noise."""

    flows = True

    def losses(
        self,
        vla: Answerer,
        features: Tensor,
        actions: Tensor,
        valid: Tensor,
        weights: Weights,
        seeds: Seeds | None,
    ) -> Losses:
        count = len(features) if seeds is None else len(seeds)
        moments, shape = len(features) // count, actions.shape[1:]
        drawn = [noises_of(seeds, count, shape, sample) for sample in range(moments)]
        noise = torch.stack(drawn, dim=1).flatten(0, 1).to(actions.device)
        times = times_of(seeds, count).repeat_interleave(moments).to(actions.device)
        errors = self.errors(vla, features, actions, noise, times)
        return chunk_losses(errors, valid, vla.codec.groups, weights)

    def errors(
        self, vla: Answerer, features: Tensor, actions: Tensor, noise: Tensor, times: Tensor
    ) -> Tensor:
        """Squares of the velocity's error, float32[N, chunk, dims]."""
        at = times[:, None, None]
        made = vla.network.head.velocity(features, at * noise + (1 - at) * actions, times).float()
        return (made - (noise - actions)) ** 2

    def flow(self, vla: Answerer, features: Tensor, noise: Tensor) -> Tensor:
        """Normalised actions that noise becomes, by Euler's method."""
        steps, x = vla.options.steps, noise
        for k in range(steps):
            times = torch.full((len(x),), 1.0 - k / steps, device=x.device)
            x = x - vla.network.head.velocity(features, x, times).float() / steps
        return x

    def decide(self, vla: Answerer, batch: Batch, seeds: Seeds, sample: int = 0) -> Reference:
        shape = (vla.settings.chunk, vla.codec.dims)
        noise = noises_of(seeds, len(batch), shape, sample).to(vla.device)
        values = self.flow(vla, vla.read(batch)[:, -1], noise)
        if not torch.isfinite(values).all():
            raise PolicyOutputError("the model's actions are not finite")
        actions = vla.codec.to_bomb(values.cpu().numpy())
        return Reference(actions=np.asarray(actions), raw={"values": values, "noise": noise})

    def score(self, vla: Answerer, batch: Batch, reference: Reference) -> Scores:
        features = vla.read(batch)[:, -1]
        wanted, noise = (reference.raw[name].to(features.device) for name in ("values", "noise"))
        made = self.flow(vla, features, noise)
        each = [
            self.errors(vla, features, wanted, noise, torch.full((len(wanted),), t, device=noise.device))
            for t in SCORED
        ]
        return flow_scores(made, wanted, vla.codec.groups, torch.stack(each).mean((0, 2, 3)))
