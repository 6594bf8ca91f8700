"""SpatialVLA: the public implementation's numbers at toy size, the twin with true depth, what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import core
from bomb.disk.files import FileError
from bomb.integrations.actions import ActionConvention
from bomb.models import masks
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.spatial import SpatialGrid, fit
from bomb.models.command.verifying import verify
from bomb.models.sequences import Patches, assemble, gather
from bomb.models.spatialvla import names
from bomb.models.spatialvla.config import SpatialVLAConfig
from bomb.models.spatialvla.depth import camera_matrix
from bomb.models.spatialvla.ego3d import back_project, encode, zoe_input
from bomb.models.spatialvla.network import SpatialNetwork
from bomb.models.spatialvla.tokens import spatial_losses, spatial_scores
from bomb.models.testing import check_vla, tiny, toy_actions, toy_requests
from bomb.models.tokens import decode, forced
from bomb.models.vla import Batch
from bomb.models.weights import empty, load_weights
from bomb.models.words import Tokens
from core.errors import ConventionError, OptionError
from core.world.stage import clean_scene
from tests.conftest import BACKENDS
from tests.models.conftest import close

IMAGE, FIRST = 165, 170
SEVEN = ActionConvention(rotation="ignored")


@pytest.fixture(scope="module")
def values(reference) -> dict[str, np.ndarray]:
    found = reference.arrays("spatialvla_tiny")
    return {key: v.astype(np.float32) if v.dtype == np.float16 else v for key, v in found.items()}


@pytest.fixture(scope="module")
def public(reference) -> SpatialNetwork:
    config = SpatialVLAConfig.from_dict(reference.json("spatialvla_tiny_config"))
    network = empty(lambda: SpatialNetwork(config))
    network.tie_weights()
    file = reference.weights("spatialvla_tiny")
    load_weights(network, [file], dtype=torch.float32, rename=names.ours)
    return network.eval()


def question(values: dict, rows: list[np.ndarray]) -> Batch:
    """Sequences of the reference, whose image tokens are places of patches."""
    samples = [
        [Patches(camera="head", rows=4, cols=4), Tokens.of(*ids[ids != IMAGE].tolist())] for ids in rows
    ]
    made = assemble(samples, pad=0)
    return Batch(
        inputs=made.inputs,
        attention_mask=made.mask,
        position_ids=made.positions + 1,
        layouts=made.layouts,
    )


def embed(network: SpatialNetwork, values: dict, batch: Batch, rows: list[int]) -> torch.Tensor:
    pictures = torch.from_numpy(values["pixel_values"][rows])
    matrices = torch.from_numpy(values["intrinsic"]).expand(len(rows), -1, -1)
    patches = network.see(pictures, network.estimate(pictures), matrices)
    return gather(batch.inputs["slots"], network.words(batch.inputs["ids"]), patches)


def test_names_go_both_ways(public, reference):
    from safetensors import safe_open

    with safe_open(reference.weights("spatialvla_tiny"), "pt") as file:
        stored = set(file.keys())
    here = {key for key in public.state_dict() if "lm_head" not in key}
    assert {names.public(key) for key in here} == stored
    assert {names.ours(key) for key in stored} == here


@torch.no_grad()
def test_positions_are_the_public_ones(public, values):
    depth = torch.from_numpy(values["given_depth"])
    matrices = torch.from_numpy(values["intrinsic"]).expand(2, -1, -1)
    points = back_project(depth, matrices, 4, 2)
    close(points, values["given_xyz"], 1e-6)
    close(encode(points, 8), values["given_encoding"], 2e-5)
    close(public.position_embedding_3d(points), values["given_pos_embed"], 2e-5)


@torch.no_grad()
def test_depth_and_pictures_are_the_public_ones(public, values):
    pictures = torch.from_numpy(values["pixel_values"])
    close(zoe_input(pictures, 384)[:, :, ::48], values["zoe_input_row0"], 2e-5)
    depth = public.estimate(pictures)
    close(depth, values["depth_cropped"], 2e-5)
    seen = public.vision_tower((pictures - 0.5) / 0.5).last_hidden_state
    close(seen, values["siglip_last_hidden"], 2e-5)
    matrices = torch.from_numpy(values["intrinsic"]).expand(2, -1, -1)
    # Public code divides by sqrt(32), which its Gemma undoes.
    close(public.see(pictures, depth, matrices) / 32**0.5, values["image_features"], 2e-5)


@torch.no_grad()
def test_logits_and_losses_are_the_public_ones(public, values):
    rows = [values[f"single_ids_{k}"] for k in range(2)]
    batch = question(values, rows)
    answers = torch.tensor([(row >= FIRST).sum() + 1 for row in rows])
    length = batch.attention_mask.shape[1]
    asked = batch.attention_mask & (torch.arange(length) < length - answers[:, None])
    embeddings = embed(public, values, batch, [0, 1])
    allowed = masks.additive(masks.prefix(batch.attention_mask, asked), embeddings.dtype)
    logits = public.logits(public.hidden(embeddings, allowed, batch.position_ids))
    for k, row in enumerate(rows):
        ours = logits[k][batch.attention_mask[k]]
        close(ours, values[f"single_logits_{k}"], 2e-5)
        count = int(answers[k])
        found = torch.nn.functional.cross_entropy(ours[-count - 1 : -1], torch.from_numpy(row[-count:]))
        close(found, values["single_loss"][k], 2e-5)


@torch.no_grad()
def test_decoding_a_batch_gives_the_public_ids(public, values):
    batch = question(values, [values[f"prompt_{k}"] for k in range(2)])
    embeddings = embed(public, values, batch, [0, 1])
    ids = decode(public, embeddings, batch, 6)
    np.testing.assert_array_equal(ids, np.stack([values[f"gen_ids_{k}"] for k in range(2)]))
    wanted = np.stack([values[f"gen_logits_{k}"] for k in range(2)])
    close(forced(public, embeddings, batch, ids), wanted, 5e-5)


def test_groups_of_a_translation_are_a_chain_rule():
    grid = SpatialGrid.uniform({"theta": 2, "phi": 3, "r": 2, "roll": 1, "pitch": 1, "yaw": 1})
    torch.manual_seed(0)
    logits, begin = torch.randn(2, 7, 30), 5
    actions = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (2, 2, 7)))
    labels = torch.from_numpy(grid.encode(actions.numpy()).reshape(2, 6) + begin)
    groups = {"xy": (0, 1), "z": (2,), "rotation": (3, 4, 5), "gripper": (6,)}
    scores = spatial_scores(logits[:, :6], labels, grid, begin, groups)
    by_hand = logits[:, :6].log_softmax(-1).gather(-1, labels[..., None])[..., 0]
    close(scores.total, by_hand.sum(1), 1e-5)
    first = logits[0, 0].softmax(-1)[begin : begin + 12].reshape(2, 3, 2)
    phi = (int(labels[0, 0]) - begin) // 2 % 3
    second = logits[0, 3].softmax(-1)[begin : begin + 12].reshape(2, 3, 2)
    again = (int(labels[0, 3]) - begin) // 2 % 3
    close(scores.groups["xy"][0], first[:, phi].sum().log() + second[:, again].sum().log(), 1e-5)
    stop = torch.full((2, 1), 2)
    losses = spatial_losses(
        logits, torch.cat([labels, stop], 1), actions.float(), torch.ones(2, 2, dtype=torch.bool),
        grid=grid, begin=begin, groups=groups,
    )  # fmt: skip
    whole = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.cat([labels, stop], 1).flatten())
    close(losses.total, whole, 1e-5)
    four = {"xy": (0, 1), "z": (2,), "gripper": (3,)}
    losses = spatial_losses(
        logits, torch.cat([labels, stop], 1), actions[..., [0, 1, 2, 6]].float(),
        torch.ones(2, 2, dtype=torch.bool), grid=grid, begin=begin, groups=four,
    )  # fmt: skip
    close(losses.total, whole, 1e-5)


def with_depth(vla, count: int = 3):
    draw = np.random.default_rng(1)
    return [
        replace(
            one, depth={c: draw.uniform(0.5, 2, (64, 64)).astype(np.float32) for c in vla.settings.cameras}
        )
        for one in toy_requests(vla.settings, count)
    ]


def test_the_laws_of_the_twin_with_true_depth(tmp_path):
    vla = tiny("spatialvla", options={"depth": "true"})
    check_vla(vla, tmp_path, requests=with_depth(vla))


def test_true_depth_matters_and_must_be_there():
    vla = tiny("spatialvla", options={"depth": "true"})
    request = with_depth(vla, 1)[0]
    nearer = replace(request, depth={"head": request.depth["head"] / 3})
    reference = vla.decide(vla.encode([request]), seeds=[(0, 0)]).select([0, 0])
    scores = vla.score(vla.encode([request, nearer]), reference).total
    assert abs(scores[0] - scores[1]) > 1e-3
    with pytest.raises(ConventionError, match="ask for the modality 'depth'"):
        vla.encode(toy_requests(vla.settings, 1))
    with pytest.raises(ConventionError, match="depth of head"):
        vla.encode([replace(request, depth={"head": np.zeros((3, 3))})])


@pytest.mark.render
@pytest.mark.parametrize("backend", BACKENDS)
def test_back_projected_points_of_the_simulator_lie_on_the_table(backend):
    """True depth and K of a camera that is moved and zoomed: its points in the world are on the table."""
    vla = tiny("spatialvla", options={"depth": "true"})
    with core.make_task(
        "place_stone", backend=backend, image_size=(64, 64), split="ci", cameras=("head",), max_steps=2,
        modalities=(*vla.modalities, "extrinsics"), perturbations={"camera_fov": 5, "camera_orbit": 3},
    ) as env:  # fmt: skip
        observation, _ = env.reset(seed=0)
    stage = camera_matrix("head", (64, 64), {}, None)
    batch = vla.encode([request_of(observation)])
    matrix = batch.inputs["intrinsics"][0]
    assert abs(matrix[0, 0, 0] - stage[0, 0]) > 1 and abs(matrix[0, 0, 2] - 32) < 1e-4
    depth = torch.from_numpy(observation["depth"]["head"])[None]
    points = back_project(depth, matrix, 8, 2)[0].reshape(-1, 3).numpy()
    X_CR = observation["extrinsics"]["head"].astype(float)
    heights = (points - X_CR[:3, 3]) @ X_CR[:3, 2] + clean_scene().robot.X_WR.p[2]
    # Much of the picture is the table; a wrong K or a shifted pixel would tilt it.
    assert (heights > -0.05).all() and (abs(heights - np.median(heights)) < 1e-3).mean() > 0.3
    assert abs(np.median(heights) - clean_scene().table.height) < 1e-3
    assert vla.act(batch, seeds=[(0, 0)]).shape == (1, 1, 1, 4)


def request_of(observation):
    from bomb.models.requests import Request

    return Request.from_observation(observation)


def test_refitting_takes_new_bins_and_embeddings_between(tmp_path):
    vla = tiny("spatialvla", convention=SEVEN)
    before = vla.network.spatial_embed_tokens.weight.detach().clone()
    draw = np.random.default_rng(0)
    grid = SpatialGrid.gaussian(fit(draw.normal(0, 0.3, (500, 7)).clip(-1, 1)), vla.grid.counts)
    vla.refit(grid)
    after = vla.network.spatial_embed_tokens.weight
    assert abs(after - before).max() > 0.01 and torch.equal(after[-2:], before[-2:])
    Checkpoint(vla=vla).save(tmp_path / "refitted")
    again = Checkpoint.load(tmp_path / "refitted", device="cpu").vla
    close(again.grid.edges["phi"], grid.edges["phi"], 0)
    rows = slice(vla.config.begin, vla.config.begin + vla.config.tokens)
    assert vla.network.language_model.lm_head.weight[rows].shape == after.shape
    actions = toy_actions(vla.settings, 2)
    close(again.to_ids(again.codec.normalise(actions)), vla.to_ids(vla.codec.normalise(actions)), 0)


def test_bins_are_fitted_to_data():
    """Small moves are told more finely by bins of their own."""
    vla = tiny("spatialvla", chunk=2)
    moves = np.random.default_rng(0).normal(0, 0.1, (200, 2, 4)).clip(-1, 1).astype(np.float32)
    moves[..., 3] = 1

    def away() -> float:
        values = vla.codec.normalise(moves)
        return float(np.abs(vla.quantise(values) - values).mean())

    before = away()
    vla.adapt(moves)
    assert away() < 0.8 * before


def test_verify_passes_a_checkpoint_of_wide_bins(saved):
    found = {finding.what: finding for finding in verify(saved, device="cpu")}
    assert all(finding.ok for finding in found.values()), found


@pytest.fixture
def saved(tmp_path):
    Checkpoint(vla=tiny("spatialvla")).save(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.mark.parametrize(
    ("name", "entries", "message"),
    [
        ("config.json", {"model_type": "paligemma"}, "model_type must be 'spatialvla'"),
        ("config.json", {"spatial_token_num": 10_000}, "do not fit into a vocabulary"),
        ("config.json", {"action_token_begin_idx": 5}, "id 5 must be '<ACTION00000>'"),
        ("processor_config.json", {"bin_policy": {"translation": {}}}, "no usable bin_policy"),
        ("bomb.json", {"options": {"depth": "stereo"}}, "unknown depth 'stereo'; valid: true, zoe"),
        ("bomb.json", {"options": {"intrinsics": {"head": [[1]]}}}, "intrinsics of head must be a matrix"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_name(saved, name, entries, message):
    file = saved / name
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))
    with pytest.raises(FileError, match=message):
        Checkpoint.load(saved, device="cpu")


def test_a_network_without_zoedepth_needs_true_depth(saved):
    file = saved / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "use_vision_zoe": False}))
    with pytest.raises(FileError, match="have unknown keys: vision_zoe_model"):
        Checkpoint.load(saved, device="cpu")
    config = SpatialVLAConfig.from_dict(json.loads(file.read_text()))
    vla = tiny("spatialvla")
    with pytest.raises(OptionError, match="has no ZoeDepth"):
        type(vla)(vla.settings, vla.statistics, config, vla.tokenizer, vla.grid)
    with pytest.raises(OptionError, match="the grid has 8194 tokens"):
        type(vla)(vla.settings, vla.statistics, vla.config, vla.tokenizer, SpatialGrid.uniform())
