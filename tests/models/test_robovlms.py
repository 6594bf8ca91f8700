"""RoboVLMs: the public heads, losses and structures at toy size, the laws, and moments of an episode."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bomb.models import masks
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.bins import Bins
from bomb.models.heads.recurrent import GPTDecoder, LSTMDecoder
from bomb.models.heads.regression import FCDecoder, regression_losses
from bomb.models.policy import VLAHistoryPolicy
from bomb.models.sequences import Learned, Patches, assemble, gather
from bomb.models.testing import tiny, toy_actions, toy_requests
from bomb.models.words import Tokens
from bomb.policies.making import make_policy
from core.errors import OptionError
from tests.models.conftest import close

SIZES = {"chunk": 5, "dims": 7, "sizes": (32, 16, 8)}
RESAMPLED = {"latents": 4, "resampler": [2, 2, 8]}
SEVEN = {"xy": (0, 1), "z": (2,), "rotation": (3, 4, 5), "gripper": (6,)}


@pytest.fixture(scope="module")
def found(reference) -> dict:
    return reference.arrays("robovlms_heads")


def loaded(module: torch.nn.Module, file, prefix: str = "") -> torch.nn.Module:
    weights = {
        key.removeprefix(prefix): value.float()
        for key, value in load_file(file).items()
        if key.startswith(prefix)
    }
    # Buffers of the public GPT-2 that are no weights.
    weights = {k: v for k, v in weights.items() if not k.endswith((".attn.bias", ".attn.masked_bias"))}
    module.load_state_dict(weights)
    return module.eval()


def pooled(x: np.ndarray) -> torch.Tensor:
    """Tokens of a moment to one, as the public heads do with ``down_sample="pooling"``."""
    return torch.from_numpy(x).amax(-2)


@torch.no_grad()
def test_fc_heads(found, reference):
    head = loaded(FCDecoder(24, hidden=16, **SIZES), reference.weights("robovlms_head_fc_pool"))
    compare(head(pooled(found["fc_pool_x"])), found, "fc_pool", 2e-6)
    head = loaded(FCDecoder(48, hidden=32, **SIZES), reference.weights("robovlms_head_fc_none"))
    compare(head(torch.from_numpy(found["fc_none_x"]).flatten(-2)), found, "fc_none", 2e-6)


def compare(made: tuple[torch.Tensor, torch.Tensor], found: dict, name: str, atol: float) -> None:
    close(made[0], found[f"{name}_actions"], atol)
    close(made[1], found[f"{name}_gripper"][..., 0], atol)


@pytest.fixture(scope="module")
def heads(reference) -> dict:
    return {
        "lstm": loaded(
            LSTMDecoder(24, hidden=16, layers=4, **SIZES), reference.weights("robovlms_head_lstm")
        ),
        "gpt": loaded(
            GPTDecoder(24, hidden=16, layers=8, heads=8, window=4, **SIZES),
            reference.weights("robovlms_head_gpt"),
        ),
    }


@torch.no_grad()
@pytest.mark.parametrize("name", ["lstm", "gpt"])
def test_policy_heads(found, heads, name):
    compare(heads[name](pooled(found[f"{name}_x"])), found, name, 5e-6)


@torch.no_grad()
@pytest.mark.parametrize("name", ["lstm", "gpt"])
def test_playing_is_a_fresh_window_of_the_last_moments(found, heads, name):
    stream = pooled(found[f"{name}_stream_x"])
    for k, wanted in enumerate(found[f"{name}_stream_out"]):
        arm, gripper = heads[name](stream[:, max(0, k - 3) : k + 1])
        close(arm[0, -1], wanted[:, :6], 5e-6)
        close(gripper[0, -1], wanted[:, 6], 5e-6)


@torch.no_grad()
@pytest.mark.parametrize("name", ["fc_pool", "fc_none", "lstm", "gpt"])
def test_losses(found, name):
    arm, gripper, label, bits, mask = (
        torch.from_numpy(found[f"{name}_{part}"]).flatten(0, 1)
        for part in ("actions", "gripper", "label_arm", "label_gripper", "mask")
    )
    actions = torch.cat([label, bits[..., None]], dim=-1)
    losses = regression_losses(arm, gripper[..., 0], actions, bits, mask > 0, SEVEN)
    close(losses.total, found[f"{name}_total_masked"], 2e-6)
    close(losses.groups["gripper"], found[f"{name}_masked_loss_gripper"], 2e-6)
    every = regression_losses(arm, gripper[..., 0], actions, bits, mask > -1, SEVEN, weights={"gripper": 0.0})
    close(every.total, found[f"{name}_nomask_loss_arm"], 2e-6)


def test_action_words(found, reference):
    about = reference.json("robovlms_heads_config")["discrete"]
    bins = Bins(vocabulary=about["tokenizer_orig_size"])
    np.testing.assert_array_equal(bins.encode(found["disc_grid"]), found["disc_ids"])
    np.testing.assert_array_equal(bins.decode(np.arange(120, 390)), found["disc_decode"])


# ---- whole structures on the toy VLM -----------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("name", ["post_lstm", "pre_fc", "post_gpt", "post_fc_latent2"])
def test_structures(reference, name):
    from transformers import LlamaConfig, LlamaForCausalLM

    given, about = reference.arrays("robovlms_struct"), reference.json("robovlms_struct_config")
    file = reference.weights(f"robovlms_struct_{name}")
    keys = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    language = LlamaForCausalLM(LlamaConfig(**{key: about["llama"][key] for key in keys}, rms_norm_eps=1e-5))
    loaded(language, file, "backbone.lm.")
    inputs = torch.from_numpy(given[f"{name}_lm_inputs"])
    mask = torch.from_numpy(given[f"{name}_lm_mask"])
    places = torch.arange(inputs.shape[1]).expand(len(inputs), -1)
    allowed = masks.additive(masks.causal(mask), inputs.dtype)
    hidden = language.model(
        inputs_embeds=inputs, attention_mask=allowed, position_ids=places
    ).last_hidden_state
    wanted = torch.from_numpy(given[f"{name}_last_hidden"])
    close(hidden[mask], wanted[mask], 2e-5)

    queries = 2 if name.endswith("latent2") else 1
    window, each = about["window"], inputs.shape[1] // (about["window"] if name == "pre_fc" else 1)
    moments = hidden.reshape(-1, window, each, hidden.shape[-1])
    # The public code puts the queries before the last position of the text.
    features = moments[:, :, each - 1 - queries : each - 1].flatten(2)
    sizes = {"chunk": about["chunk"], "dims": 7, "sizes": (32, 16, 8), "hidden": 16}
    head = {
        "post_lstm": lambda: LSTMDecoder(24, layers=2, **sizes),
        "pre_fc": lambda: FCDecoder(24, **sizes),
        "post_gpt": lambda: GPTDecoder(24, window=window, **sizes),
        "post_fc_latent2": lambda: FCDecoder(48, **{**sizes, "hidden": 32}),
    }[name]()
    arm, gripper = loaded(head, file, "act_head.")(features)
    close(arm, given[f"{name}_actions"], 2e-5)
    close(gripper, given[f"{name}_gripper"][..., 0], 2e-5)


@torch.no_grad()
def test_sequences_are_put_together_as_in_public(reference):
    """The first sample, which has no padding: [begin] [wrist] [head] [words] [query] [last word]."""
    given = reference.arrays("robovlms_struct")
    weights = load_file(reference.weights("robovlms_struct_post_lstm"))
    ids = torch.from_numpy(given["lang_x"])
    row = int(np.flatnonzero(given["attention_mask"].all(1))[0])
    words = ids[row].numpy()
    pieces = [
        Tokens.of(int(words[0])),
        Patches(camera="wrist", rows=2, cols=2),
        Patches(camera="head", rows=2, cols=2),
        Tokens.of(*words[1:-1].tolist()),
        Learned(acts=True),
        Tokens.of(int(words[-1])),
    ]
    made = assemble([pieces], pad=0)
    embedded = weights["backbone.lm.model.embed_tokens.weight"].float()[made.ids]
    kernel, bias = weights["backbone.patch.weight"].float(), weights["backbone.patch.bias"].float()
    pictures = [torch.from_numpy(given[name][row, 0])[None] for name in ("vision_gripper", "vision_x")]
    patches = [
        torch.nn.functional.conv2d(p, kernel, bias, stride=4).flatten(2).transpose(1, 2) for p in pictures
    ]
    query = weights["action_token"].float()[None, None]
    sequence = gather(made.slots, embedded, torch.cat(patches, dim=1), query)
    close(sequence[0], given["post_lstm_lm_inputs"][row * 3], 2e-6)
    assert made.layouts[0].actions.tolist() == [made.mask.shape[1] - 2]


# ---- the families ------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("family", ["interleaved", "policy_head"])
def test_a_short_history_is_answered_alike_in_any_batch(family):
    vla = tiny(f"robovlms/{family}", history=3)
    whole = toy_requests(vla.settings, 2)
    short = replace(whole[1], history=whole[1].history[1:])
    none = replace(whole[1], history=())
    seeds = [(0, 0)] * 3
    together = vla.act(vla.encode([whole[0], short, none]), seeds=seeds)
    for k, request in enumerate((whole[0], short, none)):
        close(vla.act(vla.encode([request]), seeds=seeds[:1])[0], together[k], 1e-5)
    assert abs(together[1] - together[2]).max() > 1e-4  # the past matters
    longer = replace(whole[0], history=(whole[1], *whole[0].history))
    close(vla.act(vla.encode([longer]), seeds=seeds[:1])[0], together[0], 1e-6)


@pytest.mark.parametrize("loss", ["huber", "flow"])
@pytest.mark.parametrize("family", ["interleaved", "policy_head"])
def test_all_moments_are_learned_as_if_each_were_the_last(family, loss):
    """What a moment says depends on nothing after it, so the loss is the mean of the truncated questions'."""
    options = {"moments": "all", "loss": loss}
    vla = tiny(f"robovlms/{family}", history=3, chunk=2, options=options)
    request = toy_requests(vla.settings, 1)[0]
    done = toy_actions(vla.settings, 3)
    valid = np.array([[True, True], [True, False], [True, True]])
    told = tuple(replace(moment, answer=(done[k], valid[k])) for k, moment in enumerate(request.history))
    question = replace(request, history=told)
    batch = vla.encode([question], done[2:])
    seeds = [(3, 0)]
    every = vla.loss(batch, seeds=seeds)
    features = vla.read(batch)
    assert features.shape[1] == 3
    shares = []
    for k in range(3):
        moments = [*told, request][: k + 1]
        last = vla.encode([replace(moments[-1], history=tuple(moments[:-1]))], done[k : k + 1])
        close(vla.read(last)[:, -1], features[:, k], 1e-5)
        if loss == "huber":
            one = vla.encode(
                [replace(moments[-1], history=tuple(replace(m, answer=None) for m in moments[:-1]))],
                done[k : k + 1], valid=valid[k : k + 1],
            )  # fmt: skip
            vla.options = replace(vla.options, moments="last")
            shares.append(vla.loss(one, seeds=seeds).total * valid[k].sum())
            vla.options = replace(vla.options, moments="all")
    if loss == "huber":
        close(every.total, sum(shares) / valid.sum(), 1e-6)
        close(every.samples[0], every.total, 1e-6)
    # A moment whose action is not known is not learned.
    silent = vla.encode([replace(question, history=request.history)], done[2:])
    alone = replace(vla.options, moments="last")
    here = vla.loss(silent, seeds=seeds).total
    vla.options = alone
    if loss == "huber":
        close(here, vla.loss(silent, seeds=seeds).total, 1e-6)


@torch.no_grad()
@pytest.mark.parametrize("backbone", ["smolvlm", "paligemma", "qwen3_vl", "kosmos2"])
def test_separate_experts_begin_as_the_vlm_itself(backbone):
    """Their weights are a copy, and the question never saw the queries but in a VLM that looks both ways."""
    vla = tiny("robovlms/one_step_continuous", options={"backbone": backbone, "experts": "separate"})
    batch = vla.encode(toy_requests(vla.settings, 2))
    apart = vla.read(batch)
    copy, vla.backbone.expert = vla.backbone.expert, None
    joint = vla.read(batch)
    if backbone != "paligemma":
        close(apart, joint, 1e-5)
    vla.backbone.expert = copy
    for weight in copy.parameters():
        weight.mul_(0.5)
    assert abs(vla.read(batch) - apart).max() > 1e-3


@torch.no_grad()
def test_a_resampler_brings_a_picture_to_a_few_latents():
    vla = tiny("vlm4vla", options={"backbone": "qwen2_5_vl", **RESAMPLED})
    plain = tiny("vlm4vla", options={"backbone": "qwen2_5_vl"})
    few, many = (model.encode(toy_requests(model.settings, 1)) for model in (vla, plain))
    assert few.layouts[0].pictures["head"].shape == (2, 2)
    assert many.attention_mask.shape[1] - few.attention_mask.shape[1] == 16 - 4
    black = [
        replace(r, pictures={"head": np.zeros_like(r.pictures["head"])})
        for r in toy_requests(vla.settings, 1)
    ]
    assert abs(vla.read(few) - vla.read(vla.encode(black))).max() > 1e-3


@torch.no_grad()
def test_a_flow_is_drawn_from_seed_step_and_sample():
    vla = tiny("vlm4vla", chunk=2, options={"loss": "flow"})
    batch = vla.encode(toy_requests(vla.settings, 2))
    found = vla.act(batch, seeds=[(1, 0), (2, 0)], samples=3)
    assert abs(np.diff(found, axis=1)).max() > 1e-2
    close(vla.act(batch.select([1]), seeds=[(2, 0)], samples=3), found[1:], 1e-5)


def test_losses_of_short_histories():
    vla = tiny("robovlms/policy_head", history=3, chunk=2)
    requests = [replace(request, history=()) for request in toy_requests(vla.settings, 2)]
    actions = toy_actions(vla.settings, 2)
    together = vla.loss(vla.encode(requests, actions)).samples
    alone = [vla.loss(vla.encode([r], actions[k : k + 1])).total for k, r in enumerate(requests)]
    close(together, torch.stack(alone), 1e-5)


def test_a_policy_with_a_memory_asks_with_what_it_saw(tmp_path):
    vla = tiny("robovlms/policy_head", history=3)
    Checkpoint(vla=vla).save(tmp_path / "checkpoint")
    where = str(tmp_path / "checkpoint")
    with pytest.raises(OptionError, match=r"use vla_history\(checkpoint=\.\.\.\)"):
        make_policy(f"vla(checkpoint={where!r})")
    policy = make_policy(f"vla_history(checkpoint={where!r})")
    assert isinstance(policy, VLAHistoryPolicy) and policy.describe()["history"] == 3
    moments = toy_requests(replace(vla.settings, history=1), 5)
    seen = [{"images": m.pictures, "instruction": m.instruction, "state": m.state} for m in moments]
    for _ in range(2):  # an episode remembers nothing of the one before
        policy.reset("", 9)
        for k, observation in enumerate(seen):
            chunk = policy.act(observation, step=k)
            question = replace(moments[k], history=tuple(moments[max(0, k - 2) : k]))
            with torch.no_grad():
                wanted = vla.act(vla.encode([question]), seeds=[(9, k)])[0, 0]
            close(chunk, wanted, 1e-6)


@pytest.mark.parametrize(
    ("family", "changes", "message"),
    [
        ("policy_head", {"options": {"head": "discrete"}}, "there is no discrete one"),
        ("policy_head", {"options": {"head": "mlp"}}, "unknown head 'mlp'; valid: gpt, lstm"),
        ("one_step_discrete", {"history": 2}, r"looks at one moment, bomb\.json says 2"),
        ("one_step_continuous", {"history": 2}, r"looks at one moment, bomb\.json says 2"),
        ("one_step_continuous", {"options": {"loss": "l1"}}, "unknown loss 'l1'; valid: flow, huber, mse"),
        ("one_step_continuous", {"options": {"latents": 5}}, "latents must be a square number"),
        ("interleaved", {"options": {"experts": "separate"}}, "separate experts need queries behind"),
        ("policy_head", {"options": {"backbone": "florence2", "latents": 4}}, "as a resampler needs"),
        ("interleaved", {"options": {"state": "yes"}}, "state must be true or false"),
        ("interleaved", {"options": {"backbone": "clip"}}, "unknown backbone 'clip'"),
        ("interleaved", {"options": {"backbone": "florence2"}}, "florence2 reads a question with an encoder"),
        ("one_step_discrete", {"options": {"backbone": "florence2"}}, "use vlm4vla, robovlms/one_step_cont"),
    ],
)
def test_combinations_that_there_are_not_are_refused(family, changes, message):
    with pytest.raises((OptionError, LookupError), match=message):
        tiny(f"robovlms/{family}", **changes)
