"""Motus: the public experts' numbers at toy size, five modes, independent times, the laws."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bomb.models.motus.config import MotusConfig
from bomb.models.motus.network import MODES, MotusNetwork, Seen, levels
from bomb.models.testing import tiny, toy_actions, toy_requests
from core.errors import OptionError, UnknownNameError
from tests.models.conftest import close


@pytest.fixture(scope="module")
def given(reference) -> dict:
    return {name: torch.from_numpy(value) for name, value in reference.arrays("motus_toy").items()}


@pytest.fixture(scope="module")
def public(reference) -> MotusNetwork:
    about = reference.json("motus_toy_config")
    wan, action, und = (about[name] for name in ("wan", "action", "und"))
    network = MotusNetwork(
        MotusConfig(
            dim=wan["dim"], ffn=wan["ffn_dim"], heads=wan["heads"], layers=wan["layers"],
            channels=wan["in_dim"], patch=wan["patch"], text=wan["text_dim"], frequencies=wan["freq_dim"],
            action_dim=action["dim"], action_ffn=action["ffn_dim"], registers=action["registers"],
            und_dim=und["dim"], und_ffn=und["ffn_dim"], vlm=und["vlm_input_dim"],
            states=action["state_dim"], numbers=action["action_dim"], chunk=action["chunk"], frames=2,
        )
    )  # fmt: skip
    file = load_file(reference.weights("motus_toy"))
    network.load_state_dict({key: value.float() for key, value in file.items()})
    return network.eval()


@pytest.fixture(scope="module")
def seen(given) -> Seen:
    def every(count: int) -> torch.Tensor:
        return torch.ones(2, count, dtype=torch.bool)

    return Seen(
        hidden=given["vlm_hidden"], mask=every(5), words=given["t5"], said=every(6),
        frame=given["cond_latent"], shown=every(6), states=given["state"],
    )  # fmt: skip


@torch.no_grad()
def test_velocities_are_the_public_ones(public, seen, given):
    video = torch.cat([given["cond_latent"], given["video_latent"][:, :, 1:]], dim=2)
    close(public.video_expert.tokens(video)[0], given["video_tokens_in"], 2e-6)
    close(
        public.action_expert.tokens(given["state"], given["action_latent"]), given["action_tokens_in"], 2e-6
    )
    close(public.und_expert.vlm_adapter(given["vlm_hidden"]), given["und_tokens_in"], 2e-6)
    times = given["t_video"] / 1000, given["t_action"] / 1000
    moving, acting = public(seen, video, given["action_latent"], *times)
    close(moving, given["video_velocity"], 1e-4)
    close(acting, given["action_pred_full"], 1e-4)


@torch.no_grad()
def test_ten_steps_of_video_and_action_together(public, seen, given):
    video, actions = public.run(seen, given["video_latent"], given["action_latent"], "joint", 10)
    close(video, given["euler10_video"], 2e-4)
    close(actions, given["euler10_action"], 2e-4)


@torch.no_grad()
def test_times_and_losses_are_the_public_ones(public, seen, given):
    table = levels()
    close(table, given["sigmas"], 0, 0)
    close(table * 1000, given["timesteps"], 0, 1e-6)
    v, a = table[given["tid_video"]], table[given["tid_action"]]
    noise, clean = given["action_noise"], given["clean_actions"]
    noisy = a[:, None, None] * noise + (1 - a[:, None, None]) * clean
    close(noisy, given["noisy_actions"], 1e-6)
    at = v[:, None, None, None, None]
    video = at * given["video_noise"] + (1 - at) * given["video_latent"]
    video = torch.cat([given["cond_latent"], video[:, :, 1:]], dim=2)
    moving, acting = public.velocities(seen, video, noisy, v, a)
    close(((acting - (noise - clean)) ** 2).mean(), given["action_loss"], 1e-4)
    off = (moving - (given["video_noise"] - given["video_latent"])) ** 2
    close(off[:, :, 1:].sum() / off.numel(), given["video_loss"], 1e-4)


@torch.no_grad()
def test_five_modes():
    vla = tiny("motus", chunk=3)
    requests = toy_requests(vla.settings, 2)
    future = tuple(toy_requests(vla.settings, 2, seed=5))
    batch = vla.encode([replace(request, future=future) for request in requests])
    known, noise = batch.inputs["video"], torch.randn(2, *vla.shape)
    actions = torch.rand(2, 3, 4) * 2 - 1
    made = {mode: vla.imagine(batch, mode, noise, video=known, actions=actions) for mode in MODES}
    drawn_video, drawn = vla.apart(noise)
    frame = known[:, :, :1]
    for video, _ in made.values():  # the present picture stays what it is
        close(video[:, :, :1], frame, 0)
    for mode, (video, acted) in made.items():
        flows_video, flows_action, rest = MODES[mode]
        still = known if rest == 0 else drawn_video
        assert torch.equal(video[:, :, 1:], still[:, :, 1:]) != flows_video
        assert torch.equal(acted, actions if rest == 0 else drawn) != flows_action
    # What is known matters, and both times are seen by the other half.
    assert (made["world_model"][0] - made["video"][0]).abs().max() > 1e-3
    assert (made["inverse_dynamics"][1] - made["vla"][1]).abs().max() > 1e-3
    assert (made["joint"][1] - made["vla"][1]).abs().max() > 1e-3
    with pytest.raises(OptionError, match="inverse_dynamics needs a video"):
        vla.imagine(batch, "inverse_dynamics", noise)
    with pytest.raises(OptionError, match="world_model needs actions"):
        vla.imagine(batch, "world_model", noise)
    with pytest.raises(UnknownNameError, match="valid: inverse_dynamics, joint, video, vla, world_model"):
        vla.imagine(batch, "dream", noise)


def test_a_video_is_learned_where_there_is_one():
    vla = tiny("motus", chunk=3)
    requests, actions, seeds = toy_requests(vla.settings, 2), toy_actions(vla.settings, 2), [(0, 0), (1, 0)]
    without = vla.loss(vla.encode(requests, actions), seeds=seeds)
    assert without.metrics["video"] == 0
    future = tuple(toy_requests(vla.settings, 2, seed=5))
    seen = [replace(requests[0], future=future), requests[1]]
    half = vla.loss(vla.encode(seen, actions), seeds=seeds)
    assert half.metrics["video"] > 0
    close(half.samples[1], without.samples[1], 1e-6)
    half.total.backward()
    assert vla.network.video_expert.head.head.weight.grad.abs().max() > 0


@torch.no_grad()
def test_hidden_patches_and_words_are_hidden_from_every_expert():
    vla = tiny("motus", chunk=3)
    batch = vla.encode(toy_requests(vla.settings, 1))
    layout, hide = batch.layouts[0], torch.zeros_like(batch.attention_mask)
    words = layout.words(0, 9)
    hide[0, torch.from_numpy(np.concatenate([layout.pictures["head"][0], words]))] = True
    seen = vla.look(batch.hide(hide))
    assert not seen.shown[0, :4].any() and seen.shown[0, 4:].all()
    assert not seen.said[0, words].any() and seen.said.any() and not seen.mask[hide].any()


def test_what_does_not_fit_is_refused():
    with pytest.raises(UnknownNameError, match="unknown mode of acting 'video'; valid: joint, vla"):
        tiny("motus", options={"mode": "video"})
