"""The loop: it learns, resumes to the bit, keeps frozen weights, and says what is wrong."""

import errno
import json
import os
import signal

import numpy as np
import pytest
import torch

import core
from bomb.demonstrations.stages import STAGES
from bomb.disk.files import FileError, WriteError
from bomb.models.checkpoint import Checkpoint
from bomb.models.lora import LoRA
from bomb.models.registry import FAMILIES
from bomb.models.testing import tiny
from bomb.models.vla import Losses
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from bomb.training.building import copied, merged
from bomb.training.data import chunks_of
from bomb.training.data_recipe import DataRecipe
from bomb.training.learner import Lesson, checkpoint_layers
from bomb.training.log import read_log
from bomb.training.loop import TrainingError
from bomb.training.measuring import Answers, summed_up
from bomb.training.optimising import RunningMean
from bomb.training.page import write_page
from bomb.training.recipe import HeldOutRecipe, LossRecipe, OptimiserRecipe, TrainedRecipe
from bomb.training.run import Watcher, train
from bomb.training.saving import begin, steps_in
from bomb.training.selection import choose
from bomb.training.sources import open_sources
from core.errors import OptionError, UnknownNameError
from tests.training.conftest import SIDE, changed, recipe

pytestmark = pytest.mark.render
TIMES = ("seconds",)


def rows(out):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in read_log(out)]


def weights(vla):
    return {name: weight.detach().clone() for name, weight in vla.named_parameters()}


@pytest.mark.parametrize("family", FAMILIES.names())
def test_every_family_fits_demonstrations(trainer, family):
    model = {"chunk": 1 if family == "openvla" else 3}
    if family == "small":  # made for two cameras of one size
        model |= {"cameras": ("head", "wrist"), "image_size": (128, 128)}
    made = recipe(family, model=model, steps=120, save_every=120, batch=12, log_every=60,
                  optimiser=OptimiserRecipe(rate=3e-3, warm_up=5, schedule="cosine"),
                  held_out=HeldOutRecipe(every=120, moments=4))  # fmt: skip
    losses = []
    trained = trainer(made).train(lambda _, loss: losses.append(loss))
    assert trained.complete and np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_the_twin_of_spatialvla_with_true_depth_learns(demonstrations, tmp_path):
    """From the simulator's depth and cameras; what it learned plays where they are shown."""
    made = recipe("spatialvla", model={"chunk": 3, "options": {"depth": "true"}}, steps=20, save_every=20,
                  data=DataRecipe(depth=True, every=8), optimiser=OptimiserRecipe(rate=3e-3))  # fmt: skip
    losses = []
    train(made, [demonstrations], tmp_path / "out", watcher=Watcher(step=lambda _, loss: losses.append(loss)))
    assert len(losses) == 20 and np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    twin = make_policy(f"vla(checkpoint={str(tmp_path / 'out/checkpoints/step_000020')!r})")
    assert twin.modalities == ("rgb", "depth", "intrinsics")
    env = core.make_task("place_stone", backend="mujoco", cameras=("head",), image_size=(SIDE, SIDE),
                         modalities=twin.modalities, max_steps=3)  # fmt: skip
    assert len(play(env, twin, 0).record.actions) == 3
    env.close()


def test_action_tokens_are_fitted_to_the_data(demonstrations, store, tmp_path):
    """FAST's tokens of real moves say them in fewer words; a family without tokens is refused."""
    made = {"model": {"chunk": 10, "tokens": "data"}, "steps": 1, "save_every": 1}
    train(recipe("pi0-fast", **made), [demonstrations], tmp_path / "out", store=store)
    fitted = Checkpoint.load(tmp_path / "out" / "checkpoints" / "step_000001", device="cpu").vla
    sources = open_sources(recipe("pi0-fast", **made), [demonstrations], store)
    chunks = fitted.codec.normalise(chunks_of(sources, recipe("pi0-fast", **made).model))
    plain = tiny("pi0-fast", chunk=10).answers
    before, after = (sum(map(len, one.encode(chunks))) for one in (plain, fitted.answers))
    assert after < 0.8 * before
    made = {"model": {"chunk": 10, "tokens": "data"}, "steps": 1, "save_every": 1}
    with pytest.raises(OptionError, match="vlm4vla has no action tokens"):
        train(recipe(**made), [demonstrations], tmp_path / "other", store=store)


def test_a_resumed_training_is_an_uninterrupted_one(trainer, tmp_path):
    made = recipe(optimiser=OptimiserRecipe(rate=1e-3, ema=0.9, warm_up=2, schedule="cosine"), steps=5)
    trainer(made, "whole").train()

    def interrupt(step, _):
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    stopped = trainer(made, "parts").train(interrupt)
    assert not stopped.complete and stopped.step == 3 and steps_in(tmp_path / "parts", "state") == [3]
    # Killed while it wrote the next one, and the line it was at.
    (tmp_path / "parts/state/.step_000004.part").mkdir()
    with (tmp_path / "parts/metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "step": 4, "lo')
    again = trainer(made, "parts")
    assert again.step == 3 and again.train().complete
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    files = [tmp_path / out / "checkpoints/step_000005" for out in ("parts", "whole")]
    for name in ("model.safetensors", "action.safetensors", "dataset_statistics.json"):
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes()


def test_a_full_disk_leaves_the_last_state(trainer, tmp_path, monkeypatch):
    made = recipe(steps=4, save_every=2)
    one = trainer(made)
    real = one.accelerator.save_state

    def full(folder, **options):
        if "000004" in folder:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)
        return real(folder, **options)

    monkeypatch.setattr(one.accelerator, "save_state", full)
    with pytest.raises(WriteError, match="No space left"):
        one.train()
    assert trainer(made).step == 2


def test_another_recipe_does_not_resume_it(trainer, tmp_path):
    made = recipe()
    begin(tmp_path / "out", made, [])
    with pytest.raises(OptionError, match=r"recipe\.batch = 6, not 8"):
        begin(tmp_path / "out", changed(made, batch=8), [])
    (tmp_path / "else").mkdir()
    (tmp_path / "else/file").write_text("x")
    from bomb.training.saving import check_folder

    with pytest.raises(FileError, match="holds no training"):
        check_folder(tmp_path / "else")


def test_accumulated_batches_are_whole_ones(trainer, tmp_path):
    made = recipe(model={"chunk": 20}, steps=2)  # some chunks are cut off by the end
    trainer(made, "whole").train()
    trainer(changed(made, micro_batch=2), "parts").train()
    for one, other in zip(rows(tmp_path / "whole"), rows(tmp_path / "parts"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
        if one["kind"] == "train":
            assert one["norm"] == pytest.approx(other["norm"], rel=1e-4)


@pytest.mark.parametrize(
    ("trained", "kept", "learned"),
    [
        (TrainedRecipe(freeze=("vision",)), ("vision",), ("words", "language", "head")),
        (TrainedRecipe(freeze=("words",)), ("words",), ("vision", "language", "head")),
        (TrainedRecipe(freeze=("vision", "words")), ("vision", "words"), ("language", "head")),
        (TrainedRecipe(kind="only", parts=("head",)), ("vision", "words", "language"), ("head",)),
    ],
)
def test_frozen_parts_are_unchanged_byte_for_byte(trainer, trained, kept, learned):
    one = trainer(recipe(trained=trained, steps=2))
    before, parts = weights(one.vla), one.vla.parts
    one.train()
    after = weights(one.vla)

    def same(part):
        mine = [name for name in before if name.startswith(parts[part])]
        assert mine
        return [torch.equal(before[name], after[name]) for name in mine]

    assert all(all(same(part)) for part in kept) and all(not all(same(part)) for part in learned)


def test_adapters_learn_and_become_weights(trainer, tmp_path):
    adapters = TrainedRecipe(kind="lora", lora=LoRA(rank=4, alpha=4))
    rate = OptimiserRecipe(rate=1e-2)
    made = recipe("openvla", model={"chunk": 1}, trained=adapters, optimiser=rate, steps=3)
    one = trainer(made)
    base = {n: w for n, w in weights(one.vla).items() if "lora_" not in n}
    one.train()
    assert all(torch.equal(base[name], weight) for name, weight in weights(one.vla).items() if name in base)
    samples = one.reader.measured(one.reader.held_out(3), 0)
    batch = one.vla.encode(samples.requests, samples.actions)
    one.vla.eval()
    whole = merged(copied(one.vla))
    assert not any("lora" in name for name in whole.state_dict())
    loaded = Checkpoint.load(tmp_path / "out/checkpoints/step_000003", device="cpu").vla
    with torch.no_grad():
        losses = [vla.loss(batch).total.item() for vla in (one.vla, whole, loaded)]
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-4)
    assert loaded.settings.trained_on[0]["split"] == "ci"
    assert loaded.settings.training["recipe"]["trained"]["kind"] == "lora"


def test_a_start_normalises_states_by_the_new_data(trainer, tmp_path):
    start = tmp_path / "start"
    Checkpoint(vla=tiny("pi0", chunk=3, image_size=(SIDE, SIDE))).save(start)
    made = recipe("pi0", model={"start": "checkpoint", "folder": str(start)}, steps=1)
    vla = trainer(made).vla
    assert vla.state_codec.statistics is vla.statistics.proprio
    middle = vla.statistics.proprio.q01 + vla.statistics.proprio.q99
    assert vla.state_codec.forward(middle / 2) == pytest.approx(np.zeros(4), abs=1e-6)


def test_gradient_checkpointing_changes_nothing(trainer):
    one = trainer(recipe())
    samples = one.reader.learned(one.sampler.batch(4))
    batch = one.vla.encode(samples.requests, samples.actions, valid=samples.valid)

    def gradient():
        one.vla.zero_grad()
        loss = one.vla.loss(batch).total
        loss.backward()
        return loss.item(), [w.grad.clone() for w in one.vla.parameters() if w.grad is not None]

    names = list(one.vla.state_dict())
    loss, plain = gradient()
    checkpoint_layers(one.vla)
    assert list(one.vla.state_dict()) == names
    again, saved = gradient()
    assert loss == again and all(torch.equal(a, b) for a, b in zip(plain, saved, strict=True))


def test_a_loss_that_is_no_number_is_named(trainer, monkeypatch):
    one = trainer(recipe())
    real = one.vla.loss

    def broken(batch, **options):
        losses = real(batch, **options)
        samples = losses.samples.clone()
        samples[2] = torch.nan
        groups = {**losses.groups, "z": torch.tensor(torch.nan)}
        return Losses(total=samples.mean(), samples=samples, groups=groups, offsets=losses.offsets)

    monkeypatch.setattr(one.vla, "loss", broken)
    with pytest.raises(TrainingError, match=r"loss of step 1 is nan in z, first at .*episode \d+, step \d+"):
        one.train()


def test_weights_of_groups_weigh(trainer):
    one = trainer(recipe(loss=LossRecipe(groups={"xy": 0.0, "z": 0.0})))
    with pytest.raises(UnknownNameError, match="group of the action"):
        trainer(recipe(loss=LossRecipe(groups={"arm": 1.0})), "other").train()
    samples = one.reader.learned(one.sampler.batch(4))
    lesson = Lesson.of(one.vla, samples, None)
    losses, _ = one.learner(lesson)
    plain = one.vla.loss(lesson.batch)
    assert losses.total < plain.total and losses.groups["xy"] == plain.groups["xy"]


def test_errors_are_split_and_sum_up():
    draw = np.random.default_rng(0)
    valid = np.ones((50, 4), dtype=bool)
    valid[:10, 2:] = False
    answers = Answers(
        made=draw.normal(size=(50, 4, 4)), right=draw.normal(size=(50, 4, 4)), valid=valid,
        stages=np.arange(50) % 5, losses=draw.random(50), metrics={},
    )  # fmt: skip
    found = summed_up(answers, {"xy": (0, 1), "z": (2,), "gripper": (3,)})
    groups = found["groups"]
    assert found["mse"] == pytest.approx(
        (2 * groups["xy"]["mse"] + groups["z"]["mse"] + groups["gripper"]["mse"]) / 4
    )
    squares = (answers.made - answers.right) ** 2
    assert found["offsets"][3] == pytest.approx(squares[10:, 3].mean())
    assert found["stages"]["lift"]["groups"]["z"] == pytest.approx(
        squares[answers.stages == 2][valid[answers.stages == 2]][:, 2].mean()
    )
    assert found["stages"][STAGES[5]]["mse"] is None and found["stages"][STAGES[5]]["n"] == 0
    assert found["relative"] == pytest.approx(found["mse"] / answers.right[valid].var(0).mean())


def test_the_running_mean_has_the_formula():
    module = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(0.0)
    mean, by_hand = RunningMean(module, 0.5), 0.0
    for n, value in enumerate((1.0, 2.0, -3.0, 4.0, 0.5, 7.0, 1.0, 8.0)):
        with torch.no_grad():
            module.weight.fill_(value)
        mean.update()
        decay = min(0.5, (1 + n) / (10 + n))
        by_hand = decay * by_hand + (1 - decay) * value
    with mean.applied():
        assert module.weight.item() == pytest.approx(by_hand)
    assert module.weight.item() == 8.0


def test_the_rule_chooses_and_is_written_down(trainer, tmp_path):
    out = tmp_path / "out"
    trainer(recipe(steps=4, held_out=HeldOutRecipe(every=2, moments=6))).train()
    measured = {row["step"]: row for row in rows(out) if row["kind"] == "held_out"}
    assert set(measured) == {2, 4}
    for rule, value in (("mse", lambda r: r["mse"]), ("group:z", lambda r: r["groups"]["z"]["mse"])):
        chosen = choose(out, rule)
        assert chosen["step"] == min(measured, key=lambda step: (value(measured[step]), -step))
        stored = json.loads((out / "chosen/bomb.json").read_text())["training"]
        assert stored["selection"]["rule"] == rule and stored["step"] == chosen["step"]
    assert choose(out, "last")["step"] == 4
    with pytest.raises(UnknownNameError, match="unknown group of the action 'arm'; valid: gripper, xy, z"):
        choose(out, "group:arm")
    with pytest.raises(UnknownNameError, match="unknown error of the model 'goal'"):
        choose(out, "error:goal")
    assert write_page(out)
    page = (out / "index.html").read_text()
    assert all(
        words in page for words in ("Relative error by group", "MSE by stage", "MSE by offset", "approach")
    )


def test_a_combination_that_there_is_not_is_one_error(trainer):
    model = {"options": {"head": "discrete"}, "history": 2}
    with pytest.raises(OptionError, match="there is no discrete one; use one_step_discrete"):
        trainer(recipe("robovlms/policy_head", model=model))


def test_a_recipe_that_is_refused_does_not_bind_the_folder(demonstrations, store, tmp_path):
    """What the message says to change can be changed, in the same folder."""
    model, optimiser = {"options": {"depth": "true"}}, OptimiserRecipe(rate=3e-3)
    made = recipe("spatialvla", model=model, optimiser=optimiser, steps=1, save_every=1)
    with pytest.raises(OptionError, match=r"say data\.depth: true"):
        train(made, [demonstrations], tmp_path / "out", store=store)
    mended = changed(made, data=DataRecipe(depth=True, moments=2, held_out=1))
    assert train(mended, [demonstrations], tmp_path / "out", store=store)[0].complete
