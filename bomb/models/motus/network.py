"""Three experts in one attention, and the flows of video and action, each at a time of its own.

t = 1 is noise. What is known has time 0, what is not asked for stays noise at time 1: so one network is a
policy, a world model, an inverse dynamics model, a video model, or all at once (UniDiffuser,
arXiv:2303.06555).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bomb.models.motus.config import MotusConfig
from bomb.models.motus.experts import ActionExpert, UnderstandingExpert
from bomb.models.motus.video import VideoExpert, attend, rotary

SCALE = 1000.0  # of times, as they are embedded
SHIFT = 5.0  # of the times that are learned

# By mode: what flows, the video or the actions; and the time of what does not.
MODES: dict[str, tuple[bool, bool, float]] = {
    "vla": (False, True, 1.0),
    "world_model": (True, False, 0.0),
    "inverse_dynamics": (False, True, 0.0),
    "video": (True, False, 1.0),
    "joint": (True, True, 1.0),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """A question, as the experts take it.

    Attributes:
        hidden: float[B, L, vlm], of the VLM, and ``mask``, bool[B, L], which of them are looked at.
        words: float[B, W, text], and ``said``, bool[B, W], which of them.
        frame: float[B, channels, 1, rows, cols], the present picture, and ``shown``, bool[B, n], which of its
            tokens are looked at.
        states: float[B, states].
    """

    hidden: Tensor
    mask: Tensor
    words: Tensor
    said: Tensor
    frame: Tensor
    shown: Tensor
    states: Tensor


class VideoModel(nn.Module):
    """What gives the video expert its public name."""

    def __init__(self, config: MotusConfig):
        super().__init__()
        self.wan_model = VideoExpert(config)


class MotusNetwork(nn.Module):
    """The experts; parameters have the public names."""

    def __init__(self, config: MotusConfig):
        super().__init__()
        self.config = config
        self.video_model = VideoModel(config)
        self.action_expert = ActionExpert(config)
        self.und_expert = UnderstandingExpert(config)

    @property
    def video_expert(self) -> VideoExpert:
        """Wan's transformer."""
        return self.video_model.wan_model

    def forward(
        self, seen: Seen, video: Tensor, actions: Tensor, video_times: Tensor, action_times: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Velocities of the video, as ``video``, and of [state, actions, registers], float[B, n, numbers].

        Args:
            seen: the question.
            video: float[B, channels, frames, rows, cols], the present picture first.
            actions: float[B, chunk, numbers].
            video_times, action_times: float[B], 1 is noise.
        """
        wan, acting = self.video_expert, self.action_expert
        v, grid = wan.tokens(video)
        a = acting.tokens(seen.states, actions)
        u = self.und_expert.vlm_adapter(seen.hidden)
        words = wan.text_embedding(seen.words)
        turned = rotary(grid, self.config.head_dim, v.device)
        (v_head, v_time), (a_head, a_time) = (
            expert.time(times * SCALE) for expert, times in ((wan, video_times), (acting, action_times))
        )
        later = seen.mask.new_ones(len(v), v.shape[1] - seen.shown.shape[1] + a.shape[1])
        allowed = torch.cat([seen.shown, later, seen.mask], dim=1)
        sizes = [v.shape[1], a.shape[1], u.shape[1]]
        blocks: Iterable[tuple[Any, Any, Any]] = zip(
            wan.blocks, acting.blocks, self.und_expert.blocks, strict=True
        )  # lists of torch's do not say of what
        for v_block, a_block, u_block in blocks:
            each = (v_block.project(v, v_time, turned), a_block.project(a, a_time), u_block.project(u))
            queries, keys, values = (torch.cat(parts, dim=1) for parts in zip(*each, strict=True))
            found = attend(queries, keys, values, allowed).split(sizes, dim=1)
            v = v_block(v, found[0], v_time, words, seen.said)
            a = a_block(a, found[1], a_time)
            u = u_block(u, found[2])
        return wan.decode(v, v_head, grid), acting.decode(a, a_head)

    def velocities(
        self, seen: Seen, video: Tensor, actions: Tensor, video_times: Tensor, action_times: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As ``forward``, of the actions alone: float32[B, chunk, numbers]."""
        moving, every = self(seen, video, actions, video_times, action_times)
        return moving.float(), every[:, 1 : 1 + self.config.chunk].float()

    def run(self, seen: Seen, video: Tensor, actions: Tensor, mode: str, steps: int) -> tuple[Tensor, Tensor]:
        """Video and actions after Euler's method from t = 1 to 0.

        Args:
            seen: the question.
            video: float[B, channels, frames, rows, cols]: noise, or what is known; the present picture is
                put in front of what flows.
            actions: float[B, chunk, numbers], noise or known.
            mode: out of ``MODES``.
            steps: of Euler's method.
        """
        video_flows, action_flows, rest = MODES[mode]
        frame = seen.frame.to(video.dtype)
        video = torch.cat([frame, video[:, :, 1:]], dim=2)
        count = len(video)
        for k in range(steps):
            now = video.new_full((count,), 1.0 - k / steps, dtype=torch.float32)
            still = torch.full_like(now, rest)
            moving, acting = self.velocities(
                seen, video, actions, now if video_flows else still, now if action_flows else still
            )
            if video_flows:
                video = torch.cat([frame, (video - moving / steps)[:, :, 1:]], dim=2)
            if action_flows:
                actions = actions - acting / steps
        return video, actions


def levels(count: int = 1000) -> Tensor:
    """Times that are learned, float32[count], falling from 1: evenly spread, then shifted to the noise."""
    even = torch.linspace(1.0, 0.0, count + 1)[:-1]
    return SHIFT * even / (1 + (SHIFT - 1) * even)
