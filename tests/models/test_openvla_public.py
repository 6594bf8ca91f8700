"""OpenVLA: the public implementation's numbers at toy size, and the published counts."""

import numpy as np
import pytest
import torch

from bomb.models import masks
from bomb.models.codecs.bins import Bins
from bomb.models.codecs.normalising import Normalisation, Normaliser
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.lora import LoRA, lora_targets
from bomb.models.openvla.config import PrismaticConfig, published
from bomb.models.openvla.network import Prismatic
from bomb.models.sequences import Patches, assemble, gather
from bomb.models.tokens import decode, forced, token_losses, token_scores
from bomb.models.vla import Batch
from bomb.models.weights import empty, load_weights
from bomb.models.words import Tokens
from tests.models.conftest import close


@pytest.fixture(scope="session")
def public(reference) -> Prismatic:
    """The network with the weights of the reference."""
    values = reference.json("openvla_tiny_config")
    network = empty(lambda: Prismatic(config(values)))
    load_weights(network, [reference.weights("openvla_tiny")], dtype=torch.float32)
    return network.eval()


def config(values: dict) -> PrismaticConfig:
    """The reference's configuration, with the sizes of its towers where BOMB looks for them."""
    dino, siglip = values["_tiny"]["dino"], values["_tiny"]["siglip"]
    towers = [
        {"width": dino["embed_dim"], "depth": dino["depth"], "heads": dino["num_heads"],
         "mlp": int(dino["embed_dim"] * dino["mlp_ratio"]), "registers": dino["reg_tokens"],
         "class_token": True, "layer_scale": True},
        {"width": siglip["embed_dim"], "depth": siglip["depth"], "heads": siglip["num_heads"],
         "mlp": siglip["mlp_hidden"], "pool": True},
    ]  # fmt: skip
    return PrismaticConfig.from_dict({**values, "bomb_towers": towers})


@pytest.fixture(scope="session")
def values(reference) -> dict[str, np.ndarray]:
    return reference.arrays("openvla_tiny")


def question(values: dict, ids: list[np.ndarray], rows: list[int]) -> Batch:
    """Prompts of the reference about its pictures."""
    samples = [
        [Tokens.of(*one[:1].tolist()), Patches(camera="head", rows=4, cols=4), Tokens.of(*one[1:].tolist())]
        for one in ids
    ]
    made = assemble(samples, pad=512)
    pixels = torch.from_numpy(values["pixel_values"][rows].astype(np.float32))
    return Batch(
        inputs={**made.inputs, "pixels": pixels},
        attention_mask=made.mask,
        position_ids=made.positions,
        layouts=made.layouts,
    )


def embed(network: Prismatic, batch: Batch) -> torch.Tensor:
    inputs = batch.inputs
    return gather(inputs["slots"], network.words(inputs["ids"]), network.patches(inputs["pixels"]))


def taught(values: dict) -> Batch:
    """The training batch of the reference, without its padding on the right."""
    ids = [values["input_ids"][k][values["attention_mask"][k] > 0] for k in range(2)]
    return question(values, ids, [0, 1])


def hidden(network: Prismatic, batch: Batch) -> torch.Tensor:
    embeddings = embed(network, batch)
    mask = masks.additive(masks.causal(batch.attention_mask), embeddings.dtype)
    return network.hidden(embeddings, mask, batch.position_ids)


@torch.no_grad()
def test_towers_and_projector(public, values):
    pixels = torch.from_numpy(values["pixel_values"].astype(np.float32))
    towers = public.vision_backbone.towers
    close(towers[0](pixels[:, :3]), values["dino_features"], 2e-5)
    close(towers[1](pixels[:, 3:]), values["siglip_features"], 2e-5)
    close(public.patches(pixels), values["projector_features"], 2e-5)


@torch.no_grad()
def test_hidden_states_and_logits_are_the_same_padded_on_the_left(public, values):
    batch = taught(values)
    states = hidden(public, batch)
    logits = public.logits(states)
    for k in range(2):
        there, real = batch.attention_mask[k], np.flatnonzero(values["attention_mask"][k])
        # The reference has the patches after its first token, and padding at the end.
        places = np.concatenate([[0], np.arange(1, 17), 16 + real[1:]])
        close(states[k][there], values["last_hidden"][k][places], 2e-5)
        close(logits[k][there], values["logits"][k][places], 2e-5)


def test_the_loss_is_the_public_one_and_a_hand_formula(public, values, reference):
    public.zero_grad(set_to_none=True)
    batch = taught(values)
    logits = public.logits(hidden(public, batch)[:, -6:-1])
    labels = torch.from_numpy(np.stack([row[row != -100][-5:] for row in values["labels"]]))
    bins = Bins(vocabulary=512)
    actions = torch.from_numpy(bins.decode(labels[:, :4].numpy()))[:, None].float()
    groups = {"xy": (0, 1), "z": (2,), "gripper": (3,)}
    losses = token_losses(
        logits, labels, actions, torch.ones(2, 1, dtype=torch.bool), bins=bins, groups=groups
    )
    close(losses.total, values["loss"], 2e-5)
    by_hand = -logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
    close(losses.total, by_hand.mean(), 1e-6)
    close(losses.groups["z"], by_hand[:, 2].mean(), 1e-6)
    close(losses.offsets, by_hand[:, :4].mean()[None], 1e-6)

    losses.total.backward()
    found = reference.arrays("openvla_tiny_grads")
    named = dict(public.named_parameters())
    for name in found.keys() - {"grad_norm", "no_grad_names", "adamw_losses"}:
        close(named[name].grad, found[name], 1e-6, 1e-4)
    squares = sum(float((w.grad.double() ** 2).sum()) for w in named.values() if w.grad is not None)
    close(squares**0.5, found["grad_norm"], 0, 1e-4)
    without = {name for name, weight in named.items() if weight.grad is None}
    assert without == set(found["no_grad_names"].tolist())
    public.zero_grad(set_to_none=True)


@torch.no_grad()
def test_forced_log_probabilities(public, values):
    prompts = [values[f"prompt{k}"] for k in range(2)]
    labels = torch.from_numpy(np.stack([row[row != -100][-5:] for row in values["labels"]]))
    batch = question(values, prompts, [0, 1])
    logits = forced(public, embed(public, batch), batch, labels)
    scores = logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
    close(scores, values["forced_logprob"], 5e-5)


@pytest.mark.parametrize("name", ["bomb4", "seven"])
def test_decoding_a_batch_gives_the_public_ids_and_actions(public, values, reference, name):
    prompts = [values[f"prompt{k}"] for k in range(2)]
    batch = question(values, prompts, [0, 1])
    wanted = np.stack([values[f"ids_{name}_{k}"] for k in range(2)])
    ids = decode(public, embed(public, batch), batch, wanted.shape[1]).numpy()
    np.testing.assert_array_equal(ids, wanted)
    entry = reference.json("openvla_tiny_config")["norm_stats"][name]
    statistics = DatasetStatistics.from_dict(entry).action
    actions = Normaliser(statistics, Normalisation(constant="zero")).backward(
        Bins(vocabulary=512).decode(ids)
    )
    close(actions, np.stack([values[f"actions_{name}_{k}"] for k in range(2)]), 1e-12)


@torch.no_grad()
def test_decoding_is_that_of_generate_and_its_logits_are_the_forced_ones(public, values):
    batch = question(values, [values["prompt0"]], [0])
    embeddings = embed(public, batch)
    found = public.language_model.generate(
        inputs_embeds=embeddings, max_new_tokens=4, min_new_tokens=4, do_sample=False, pad_token_id=512,
        output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    ids = decode(public, embeddings, batch, 4)
    np.testing.assert_array_equal(found.sequences, ids)
    logits = forced(public, embeddings, batch, ids)
    close(logits, torch.stack(found.logits, dim=1), 1e-5)
    groups = {"xy": (0, 1), "z": (2,), "gripper": (3,)}
    scores = token_scores(logits, ids, 1, groups)
    by_hand = torch.stack(found.logits, dim=1).log_softmax(-1).gather(-1, ids[..., None])[..., 0]
    close(scores.total, by_hand.sum(1), 1e-5)
    close(scores.groups["xy"], by_hand[:, :2].sum(1), 1e-5)


def test_published_counts_of_parts():
    network = with_meta(published())
    count = sum(weight.numel() for weight in network.parameters())
    parts = {name: sum(w.numel() for w in part.parameters()) for name, part in network.named_children()}
    assert parts["language_model"] == 6_738_939_904
    assert parts["projector"] == 71_385_600
    dino, siglip = network.vision_backbone.towers
    assert sum(w.numel() for w in dino.parameters()) == 303_230_976
    assert sum(w.numel() for w in siglip.parameters()) == 427_680_704
    assert count == sum(parts.values())
    llama = lora_targets(network, LoRA(within=("language_model.model.",)))
    adapted = [network.get_submodule(name) for name in llama]
    assert sum(32 * (part.in_features + part.out_features) for part in adapted) == 79_953_920


def with_meta(config: PrismaticConfig) -> Prismatic:
    with torch.device("meta"):
        return Prismatic(config)
