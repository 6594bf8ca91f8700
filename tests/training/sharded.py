"""One of two processes that share the weights of a model out; run by ``test_processes``."""

import sys

import numpy as np
import torch
from torch.distributed import destroy_process_group, init_process_group
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from bomb.models.lora import LoRA, add_lora
from bomb.models.testing.questions import tiny, toy_actions, toy_requests
from bomb.training.building import copied, merged
from bomb.training.data import TrainingSamples
from bomb.training.learner import Learner, Lesson
from bomb.training.sharding import gathered, is_sharded, layer_classes, skeleton


def made_up(vla) -> TrainingSamples:
    """Three questions with answers."""
    actions = toy_actions(vla.settings)
    return TrainingSamples(
        requests=toy_requests(vla.settings), actions=actions, valid=np.ones(actions.shape[:2], dtype=bool),
        seeds=[(0, k) for k in range(3)], stages=np.zeros(3, dtype=np.int8), names=["a", "b", "c"],
        swapped=["", "", ""],
    )  # fmt: skip


def main(family: str) -> None:
    """Shares out, learns one step, gathers; says how far that is from one process alone."""
    torch.set_num_threads(1)
    init_process_group("gloo")
    alone, shared = tiny(family), tiny(family)
    for vla in (alone, shared):
        torch.manual_seed(1)
        add_lora(vla, LoRA(rank=2))
    bare, units = skeleton(shared), layer_classes(shared)
    mesh = init_device_mesh("cpu", (2,))
    learner = Learner(shared, {})
    for layer in shared.anatomy.layers:
        fully_shard(layer.module, mesh=mesh)
    fully_shard(learner, mesh=mesh)
    if not is_sharded(shared) or is_sharded(alone):
        raise SystemExit("nothing was shared out")
    samples = made_up(alone)
    for made in (Learner(alone, {}), learner):
        optimiser = torch.optim.SGD([w for w in made.parameters() if w.requires_grad], lr=0.1)
        losses, _ = made(Lesson.of(made.vla, samples, None))
        losses.total.backward()
        optimiser.step()
    main_process = torch.distributed.get_rank() == 0
    whole = gathered(shared, bare, keep=main_process)
    if main_process:
        one, two = merged(copied(alone)), merged(whole)
        pairs = zip(one.named_parameters(), two.named_parameters(), strict=True)
        away = max(float((a - b).abs().max()) for (_, a), (_, b) in pairs)
        ties = len(list(one.parameters())) == len(list(two.parameters()))
        answers = [vla.act(vla.encode(samples.requests), seeds=samples.seeds) for vla in (one, two)]
        apart = abs(answers[0] - answers[1]).max()
        print(f"units {','.join(units)}; away {away:.2e}; ties {ties}; answers {apart:.2e}")
    elif whole is not None:
        raise SystemExit("a process that keeps nothing got a model")
    destroy_process_group()


main(sys.argv[1])
