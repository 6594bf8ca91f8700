"""The training loop, one for all families: accelerate for devices and processes, peft for adapters."""

import contextlib
import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs

from bomb.models.checkpoint import Checkpoint
from bomb.models.vla import VLA, Losses
from bomb.training.auxiliary import FILE as AUXILIARY
from bomb.training.auxiliary import Auxiliary, tensors_bytes
from bomb.training.building import copied, merged
from bomb.training.data import SampleReader, Source, TrainingSamples, phases_of
from bomb.training.folders import CHECKPOINTS, step_folder
from bomb.training.learner import Learner, Lesson, checkpoint_layers
from bomb.training.log import MetricsLog
from bomb.training.measuring import Answers, summed_up
from bomb.training.optimising import RunningMean, make_optimiser, rate_share, set_rate
from bomb.training.recipe import Recipe
from bomb.training.sampler import Draw, Sampler, epochs
from bomb.training.saving import load_state, remove_left_behind, save_state
from bomb.training.sharding import gathered, is_sharded, layer_classes, skeleton
from bomb.training.summing import means, summed
from core.errors import BombError, OptionError

StepListener = Callable[[int, float], None]
# Draws of a batch; its micro-batches: how many actions of each sample count, and the samples; the sampler
# after it.
BatchRead = tuple[list[Draw], list[tuple[np.ndarray, TrainingSamples]], dict[str, Any]]


class TrainingError(BombError):
    """A training that cannot continue: a loss that is not a number."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What became of a training.

    Attributes:
        step: that was reached.
        complete: whether that was the last.
        held_out: the newest errors; None if nothing was measured yet.
    """

    step: int
    complete: bool
    held_out: dict[str, Any] | None


class Trainer:
    """Trains a model in place.

    Args:
        vla: with what learns and what is frozen, see ``bomb.training.building``.
        sources: what is learned from.
        recipe: how.
        out: folder of the training, begun by ``bomb.training.saving.begin``.
        accelerator: None makes one, as ``accelerate launch`` says.

    Attributes:
        step: that it begins after: 0, or that of the newest state.

    Raises:
        OptionError: if the batch cannot be shared by the processes.
        FileError: if the newest state cannot be read.
    """

    def __init__(
        self,
        vla: VLA,
        sources: Sequence[Source],
        recipe: Recipe,
        out: Path,
        *,
        accelerator: Accelerator | None = None,
    ):
        self.recipe, self.out = recipe, Path(out)
        self.accelerator = accelerator or make_accelerator(recipe)
        self._world, self._rank = self.accelerator.num_processes, self.accelerator.process_index
        if recipe.batch % self._world:
            raise OptionError(f"batch {recipe.batch} cannot be shared by {self._world} processes")
        if recipe.gradient_checkpointing:
            checkpoint_layers(vla)
        self.vla = vla
        self._auxiliary = Auxiliary(vla, recipe.auxiliary) if recipe.auxiliary.wanted else None
        learner = Learner(vla, recipe.loss.groups, self._auxiliary)
        self.reader = SampleReader(sources, recipe)
        phases = phases_of(sources, recipe.data, recipe.steps * recipe.batch)
        self.sampler = Sampler([len(source.learned) for source in sources], phases, recipe.seed)
        bare = name_units(self.accelerator, vla)
        self._learner, self._optimiser = self.accelerator.prepare(
            learner, make_optimiser(vla, learner, recipe.optimiser)
        )
        self._bare = bare if is_sharded(vla) else None
        self._mean = None
        if self._bare is not None and recipe.optimiser.ema is not None:
            raise OptionError(
                "ema keeps whole weights, and here processes share them out (FSDP): set it to null"
            )
        if recipe.optimiser.ema is not None:
            self._mean = RunningMean(learner, recipe.optimiser.ema)
            self.accelerator.register_for_checkpointing(self._mean)
        self._log = MetricsLog(self.out)
        self._held_out: dict[str, Any] | None = None
        self._window: list[dict[str, Any]] = []
        # Noise that no sample has of its own, such as of dropout, differs by process; a state brings its own.
        torch.manual_seed(recipe.seed + 7919 * (self._rank + 1))
        self.step = self._resume()
        self._position = self.sampler.state_dict()

    @property
    def learner(self) -> torch.nn.Module:
        """The model with the recipe's loss, as it is trained."""
        return self._learner

    def train(
        self, report: StepListener | None = None, measured: Callable[[dict[str, Any]], None] | None = None
    ) -> Trained:
        """Goes from the newest state to the last step, or to the first signal to stop.

        Args:
            report: called with each step and its loss.
            measured: called with each measurement on held-out episodes.

        Raises:
            TrainingError: naming the step and the sample, if a loss is not finite.
            WriteError: if a file cannot be written; the last state is whole.
        """
        recipe, step = self.recipe, self.step
        with stopping() as stop, contextlib.closing(self._batches(step)) as batches:
            for draws, micro, position in batches:
                step, self._position = step + 1, position
                loss = self._step(step, draws, micro)
                if report is not None:
                    report(step, loss)
                last = step == recipe.steps
                stopped = self._agree(bool(stop))
                saves = last or step % recipe.save_every == 0
                if saves or stopped or step % recipe.log_every == 0:
                    self._write_window(step)
                if last or step % recipe.held_out.every == 0:
                    self._measure(step, measured)
                if saves:
                    self.save_checkpoint(step)
                if saves or stopped:
                    save_state(self.accelerator, self.out, step, {"step": step, "sampler": position,
                               "held_out": self._held_out}, recipe.keep)  # fmt: skip
                if stopped and not last:
                    return Trained(step=step, complete=False, held_out=self._held_out)
        return Trained(step=step, complete=True, held_out=self._held_out)

    # ---- one step ---------------------------------------------------------------------------

    def _step(
        self, step: int, draws: Sequence[Draw], micro: Sequence[tuple[np.ndarray, TrainingSamples]]
    ) -> float:
        """Learns from one batch; what counts in it counts alike, however it is shared out."""
        recipe, begun = self.recipe, time.perf_counter()
        self._learner.train()
        rate = recipe.optimiser.rate * rate_share(step, recipe.steps, recipe.optimiser)
        set_rate(self._optimiser, rate)
        whole = float(self.reader.count(draws).sum())
        shares = []
        for k, (counts, samples) in enumerate(micro):
            waits = k < len(micro) - 1
            with self.accelerator.no_sync(self._learner) if waits else nullcontext():
                lesson = Lesson.of(self.vla, samples, self._auxiliary)
                with self.accelerator.autocast():
                    losses, _ = self._learner(lesson)
                share = float(counts.sum()) / whole
                self._check(step, losses, samples)
                # Processes average their gradients; a batch is a mean over its actions.
                self.accelerator.backward(losses.total * share * self._world)
            shares.append((share, losses))
        norm = self.accelerator.clip_grad_norm_(
            self._learner.parameters(), recipe.optimiser.clip or float("inf")
        )
        self._optimiser.step()
        self._optimiser.zero_grad()
        if self._mean is not None:
            self._mean.update()
        row = summed(shares, self.accelerator)
        self._window.append(
            {**row, "norm": float(norm), "rate": rate, "seconds": time.perf_counter() - begun}
        )
        return float(row["loss"])

    def _check(self, step: int, losses: Losses, samples: TrainingSamples) -> None:
        """Returns if the loss is a number.

        Raises:
            TrainingError: naming the sample and the groups.
        """
        if bool(torch.isfinite(losses.total)):
            return
        bad = torch.nonzero(~torch.isfinite(losses.samples)).flatten().tolist()
        groups = [name for name, value in losses.groups.items() if not bool(torch.isfinite(value))]
        where = f" in {', '.join(groups)}" if groups else ""
        raise TrainingError(
            f"the loss of step {step} is {losses.total.item()}{where}, "
            f"first at {samples.names[bad[0] if bad else 0]}; "
            "lower the rate, clip more, or compute in float32"
        )

    # ---- what is read -----------------------------------------------------------------------

    def _batches(self, step: int) -> Generator[BatchRead, None, None]:
        """The batches after ``step``, each with where the sampler is after it; read one ahead in a thread."""

        def make() -> BatchRead:
            draws = self.sampler.batch(self.recipe.batch)
            position = self.sampler.state_dict()
            mine = draws[self._rank :: self._world]
            size = self.recipe.micro_batch or len(mine)
            parts = [mine[k : k + size] for k in range(0, len(mine), size)]
            return draws, [(self.reader.count(part), self.reader.learned(part)) for part in parts], position

        with ThreadPoolExecutor(1) as pool:
            ahead: Future[BatchRead] = pool.submit(make)
            for left in range(self.recipe.steps - step, 0, -1):
                now = ahead
                if left > 1:
                    ahead = pool.submit(make)
                yield now.result()

    def _resume(self) -> int:
        if self.accelerator.is_main_process:
            remove_left_behind(self.out)
        self.accelerator.wait_for_everyone()
        position = load_state(self.accelerator, self.out)
        if position is None:
            if self.accelerator.is_main_process:
                self._log.cut(0)
            return 0
        self.sampler.load_state_dict(position["sampler"])
        self._held_out = position["held_out"]
        if self.accelerator.is_main_process:
            self._log.cut(position["step"])
        return int(position["step"])

    def _agree(self, stop: bool) -> bool:
        """Whether any process was told to stop."""
        if self._world == 1:
            return stop
        told = torch.tensor([float(stop)], device=self.accelerator.device)
        return bool(self.accelerator.reduce(told, "sum").item())

    # ---- what is written --------------------------------------------------------------------

    def _write_window(self, step: int) -> None:
        if not self._window:
            return
        rows, self._window = self._window, []
        row = {
            "kind": "train",
            "step": step,
            "samples": step * self.recipe.batch,
            "epochs": [round(n, 4) for n in epochs(self._position)],
            **means(rows),
        }
        if self.accelerator.is_main_process:
            self._log.add(row)

    @contextlib.contextmanager
    def _evaluated(self) -> Iterator[None]:
        """Inside, the model has the weights that are measured and saved."""
        self._learner.eval()
        with self._mean.applied() if self._mean is not None else nullcontext():
            yield
        self._learner.train()

    def _measure(self, step: int, told: Callable[[dict[str, Any]], None] | None) -> None:
        places = self.reader.held_out(self.recipe.held_out.moments)
        with self._evaluated(), torch.no_grad():
            errors = summed_up(self._answers(places), self.vla.codec.groups)
        self._held_out = {"step": step, **errors}
        if self.accelerator.is_main_process:
            self._log.add({"kind": "held_out", **self._held_out})
            if told is not None:
                told(self._held_out)

    def _answers(self, places: Sequence[Any]) -> Answers:
        """What the model makes of held-out moments, put together from all processes."""
        size, codec = self.recipe.held_out.batch, self.vla.codec
        # Every process has as many batches as the others: some measure the last moments twice.
        each = -(-len(places) // self._world)
        numbers = [min(self._rank * each + k, len(places) - 1) for k in range(each)]
        found: dict[str, list[Any]] = {name: [] for name in ("made", "right", "valid", "stages", "losses")}
        metrics: dict[str, list[Any]] = {}
        for first in range(0, each, size):
            part = numbers[first : first + size]
            samples = self.reader.measured([places[k] for k in part], part[0])
            samples = replace(samples, seeds=[(self.recipe.seed, k) for k in part])
            lesson = Lesson.of(self.vla, samples, self._auxiliary)
            with self.accelerator.autocast():
                losses, actions = self._learner(lesson, answer=True)
            found["made"].append(codec.normalise(actions))
            found["right"].append(codec.normalise(samples.actions))
            found["valid"].append(samples.valid)
            found["stages"].append(samples.stages)
            found["losses"].append(losses.samples.detach().float().cpu().numpy())
            for name, value in losses.metrics.items():
                metrics.setdefault(name, []).append(np.full(len(part), value))
        gathered: dict[str, Any] = {
            name: self._gather(np.concatenate(parts), len(places)) for name, parts in found.items()
        }
        gathered["valid"] = gathered["valid"].astype(bool)
        gathered["metrics"] = {n: self._gather(np.concatenate(v), len(places)) for n, v in metrics.items()}
        return Answers(**gathered)

    def _gather(self, values: np.ndarray, count: int) -> np.ndarray:
        tensor = torch.as_tensor(values.astype(np.float64), device=self.accelerator.device)
        return np.asarray(self.accelerator.gather(tensor).cpu().numpy()[:count])

    def save_checkpoint(self, step: int) -> None:
        """Writes a checkpoint to play, with what it was trained on and how."""
        main = self.accelerator.is_main_process
        with self._evaluated():
            if self._bare is not None:
                whole = gathered(self.vla, self._bare, keep=main)
            else:
                whole = copied(self.vla) if main else None
            beside = {} if self._auxiliary is None else {AUXILIARY: tensors_bytes(self._auxiliary)}
        if whole is not None:
            training = {
                "recipe": self.recipe.to_dict(),
                "step": step,
                "samples": step * self.recipe.batch,
                "epochs": epochs(self._position),
                "trained_parameters": self.vla.count(trained=True),
                "held_out": self._held_out if (self._held_out or {}).get("step") == step else None,
                "select": self.recipe.select,
            }
            whole.settings = replace(self.vla.settings, training=training)
            Checkpoint(vla=merged(whole)).save(step_folder(self.out, CHECKPOINTS, step), beside=beside)
        self.accelerator.wait_for_everyone()


def make_accelerator(recipe: Recipe) -> Accelerator:
    """Devices and processes as ``accelerate launch`` says, with the recipe's precision."""
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    # Some models have weights that no loss reaches, such as the last layers of what only a cache is taken of.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    precision = "bf16" if recipe.precision == "bfloat16" else "no"
    return Accelerator(mixed_precision=precision, kwargs_handlers=[unused])


def name_units(accelerator: Accelerator, vla: VLA) -> VLA | None:
    """Tells FSDP2 that every layer is a unit, unless the user named others.

    Returns:
        The model's skeleton; None where its weights will not be shared out.
    """
    plugin = getattr(accelerator.state, "fsdp_plugin", None)
    if plugin is None:
        return None
    if plugin.transformer_cls_names_to_wrap is None:
        plugin.transformer_cls_names_to_wrap = layer_classes(vla)
    return skeleton(vla)


@contextlib.contextmanager
def stopping() -> Iterator[list[int]]:
    """Inside, Ctrl-C and SIGTERM are kept in the list: the step is finished, and a state is written."""
    told: list[int] = []
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):  # not in the main thread
            before[number] = signal.signal(number, lambda n, _: told.append(n))
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
