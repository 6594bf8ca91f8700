"""Looks a pi0 checkpoint over: ``probe.py CHECKPOINT DATASET FOLDER`` writes ``FOLDER/probe.json``."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.models.pi0.build import SmallPi0
from bomb.models.pi0.checkpoint import Checkpoint
from bomb.models.pi0.policy import Pi0Policy
from bomb.models.pi0.samples import make_samples
from bomb.models.pi0.train import new_checkpoint, step
from core.policy import Request
from core.rendering.sight import Sight

folder, dataset, out = Path(sys.argv[1]), Dataset.open(Path(sys.argv[2])), Path(sys.argv[3])
torch.set_num_threads(1)
trained = Checkpoint.load(folder, device="cpu")
size, cameras = trained.settings.image_size, trained.settings.cameras


def moments(backend: str, seeds: list[int], every: int) -> list[tuple[Request, np.ndarray]]:
    """What was seen in demonstrations, drawn by an engine, and what was done then."""
    renderer = Renderer(dataset.settings, backend=backend, cameras=cameras, image_size=size)
    found = []
    for seed in seeds:
        demonstration = dataset.load(seed)
        for t, frame in enumerate(renderer.frames(demonstration)):
            if t % every == 0:
                seen = {key: frame[key] for key in ("images", "state", "instruction")}
                found.append((Request(observation=seen, seed=seed, step=t), demonstration.actions[t]))
    renderer.close()
    return found


def largest(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    return float(max(abs(a - b).max() for a, b in zip(one, other, strict=True)))


answer: dict = {}
seeds = dataset.seeds()
policy = Pi0Policy(str(folder), device="cpu")
answer["describe"] = {**policy.describe(), **Sight.of(policy).to_dict()}

# A new model, written and read: equal to the last bit.
samples = make_samples(
    [dataset], backends=["mujoco"], cameras=cameras, image_size=size, chunk=trained.chunk, limit=1
)
fresh = new_checkpoint(samples, SmallPi0(patch=16), cameras=cameras, trained_on=[], seed=7)
fresh.model.eval()
fresh.save(out / "fresh")
again = Checkpoint.load(out / "fresh", device="cpu")
answer["same_settings"] = fresh.settings == again.settings
first = np.arange(4)
shown = [samples.pictures[k] for k in first], [samples.texts[k] for k in first], samples.states[first]
inputs = [checkpoint.inputs(*shown) for checkpoint in (fresh, again)]
noise = torch.zeros(4, *fresh.noise_shape)
outputs = [c.model.sample_actions(**x, noise=noise) for c, x in zip((fresh, again), inputs, strict=True)]
answer["saved_and_loaded"] = float((outputs[0] - outputs[1]).abs().max())
answer["output_spread"] = float(outputs[0].std())
torch.manual_seed(0)
answer["loss_untrained"] = step(fresh, samples, np.arange(min(64, len(samples)))).item()

for backend in ("mujoco", "robotwin"):
    seen = moments(backend, seeds[:4], every=3)
    requests, done = [request for request, _ in seen], np.stack([action for _, action in seen])
    batch = policy.infer(requests)
    singles = [policy.infer([request])[0] for request in requests[:6]]
    shuffled = policy.infer(requests[::-1])[::-1]
    made = np.stack([chunk[0] for chunk in batch])
    closed = done[:, 3] < 0.5
    residual = ((made[:, :3] - done[:, :3]) ** 2).sum() / ((done[:, :3] - done[:, :3].mean(0)) ** 2).sum()
    other_seed = [Request(observation=r.observation, seed=r.seed + 1, step=r.step) for r in requests[:6]]
    starts = [chunk[0, 3] for request, chunk in zip(requests, batch, strict=True) if not request.step]
    answer[backend] = {
        "moments": len(requests),
        "shape": list(batch[0].shape),
        "dtype": str(batch[0].dtype),
        "batch_against_singles": largest(batch[:6], singles),
        "order": largest(batch, shuffled),
        "repeated": largest(policy.infer(requests[:6]), policy.infer(requests[:6])),
        "other_seed": largest(batch[:6], policy.infer(other_seed)),
        "first_open": float(
            np.mean([c[0, 3] > 0.5 for r, c in zip(requests, batch, strict=True) if not r.step])
        ),
        "gripper_agrees": float(np.mean((made[:, 3] < 0.5) == closed)),
        "share_closed": float(closed.mean()),
        "unexplained": float(residual),
    }

# It looks: with another picture it does something else, with other words, too.
request = requests[0]
blank = {camera: np.zeros_like(picture) for camera, picture in request.observation["images"].items()}
for name, change in (("blind", {"images": blank}), ("mute", {"instruction": "put"})):
    changed = Request(observation={**request.observation, **change}, seed=request.seed, step=request.step)
    answer[name] = largest(policy.infer([request]), policy.infer([changed]))

errors = {}
for name, change in (
    ("camera", {"images": {"front": next(iter(request.observation["images"].values()))}}),
    ("size", {"images": {camera: np.zeros((32, 32, 3), np.uint8) for camera in cameras}}),
):
    try:
        policy.infer([Request(observation={**request.observation, **change}, seed=0, step=0)])
    except Exception as error:
        errors[name] = [type(error).__name__, str(error)]
answer["errors"] = errors

# A binary gripper of the opposite sign is a matter of bomb.json alone.
text = json.loads((out / "fresh" / "bomb.json").read_text())
text["convention"]["gripper"] = "binary_close_01"
(out / "fresh" / "bomb.json").write_text(json.dumps(text))
flipped = Pi0Policy(str(out / "fresh"), device="cpu").infer(requests[:6])
text["convention"]["gripper"] = "continuous_01"
(out / "fresh" / "bomb.json").write_text(json.dumps(text))
plain = Pi0Policy(str(out / "fresh"), device="cpu").infer(requests[:6])
answer["flipped"] = all(
    np.array_equal(a[:, 3], (b[:, 3] < 0.5).astype(np.float32)) for a, b in zip(flipped, plain, strict=True)
)
(out / "probe.json").write_text(json.dumps(answer))
