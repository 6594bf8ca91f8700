"""Trains a small pi0 on demonstrations: ``python -m bomb.models.pi0.train --data DIR --out DIR``.

The pictures are drawn from the recorded states, in one engine or several. What is written is a checkpoint
for the policy ``pi0``. Ctrl-C ends the training and writes what is learned so far.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from bomb.demonstrations.dataset import Dataset
from bomb.integrations.actions import ActionConvention
from bomb.machine.progress import progress
from bomb.models.folders import check_free
from bomb.models.pi0.build import SmallPi0, make_model, make_processor
from bomb.models.pi0.checkpoint import Checkpoint, the_extra
from bomb.models.pi0.samples import Samples, make_samples
from bomb.models.pi0.settings import Pi0Settings
from bomb.processes.statuses import INTERRUPTED
from core.errors import POSITIVE, BombError, ConventionError, Number, OptionError, check_numbers

SAVE_EVERY = 300.0  # s of training that are lost at most
ROOM = 4  # tokens that an instruction may be longer than the longest that was trained on
KEPT = 100  # losses that are averaged for what is printed and recorded


CONSTRAINTS = {
    "steps": POSITIVE,
    "batch": POSITIVE,
    "threads": Number(least=1, optional=True),
    "rate": Number(whole=False, above=0),
    "minutes": Number(whole=False, above=0, optional=True),
}


@dataclass(frozen=True, kw_only=True)
class Training:
    """How long and how fast to learn.

    Attributes:
        steps: gradient steps at most.
        minutes: of wall clock at most; None: no limit.
        batch: samples per step.
        rate: greatest learning rate of AdamW; it rises over the first steps and falls to nothing.
        seed: of weights, order and noise.
        threads: of torch; None leaves it to torch.
    """

    steps: int = 2000
    minutes: float | None = None
    batch: int = 32
    rate: float = 1e-3
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        check_numbers(self, CONSTRAINTS)


def new_checkpoint(
    samples: Samples, sizes: SmallPi0, *, cameras: tuple[str, ...], trained_on: list[dict], seed: int
) -> Checkpoint:
    """A small pi0 with random weights for these samples; its pictures are square.

    Raises:
        OptionError: if the pictures are not square, or the patch does not fit into them.
    """
    import torch

    height, width = samples.pictures.shape[2:4]
    if height != width:
        raise OptionError(f"pictures must be square, got {height} x {width}")
    processor = make_processor(samples.texts, sizes, side=height, statistics=samples.statistics())
    longest = max(len(processor.tokenizer(text)["input_ids"]) for text in set(samples.texts))
    torch.manual_seed(seed)
    model = make_model(
        sizes, side=height, vocabulary=len(processor.tokenizer), image_token=processor.image_token_id
    )
    settings = Pi0Settings(
        cameras=cameras,
        image_size=(height, width),
        text_tokens=longest + ROOM,
        convention=ActionConvention(action_mode=samples.action_mode),
        control_hz=samples.control_hz,
        trained_on=trained_on,
    )
    return Checkpoint(model=model, processor=processor, settings=settings)


def continued(start: Checkpoint, samples: Samples, trained_on: list[dict]) -> Checkpoint:
    """A checkpoint to go on from, which will also have been trained on these samples.

    Raises:
        ConventionError: if the samples' actions mean something else than the checkpoint's.
    """
    settings = start.settings
    wanted = (ActionConvention(action_mode=samples.action_mode), samples.control_hz)
    if (settings.convention, settings.control_hz) != wanted:
        raise ConventionError(
            f"the checkpoint's actions are {settings.convention} at {settings.control_hz} Hz, "
            f"the dataset's {wanted[0]} at {wanted[1]} Hz"
        )
    return replace(start, settings=replace(settings, trained_on=[*settings.trained_on, *trained_on]))


def provenance(dataset: Dataset, limit: int | None = None) -> dict:
    """What a checkpoint says about a dataset, of which it was shown the first ``limit`` demonstrations."""
    seeds = dataset.seeds()[:limit]
    names = ("task", "split", "backends", "perturbations", "held_out")
    known = {name: dataset.settings[name] for name in names if name in dataset.settings}
    return {**known, "demonstrations": len(seeds), "seeds": seeds}


def train(checkpoint: Checkpoint, samples: Samples, training: Training, out: Path) -> Checkpoint:
    """Trains in place and writes the checkpoint, every few minutes and at the end.

    Args:
        checkpoint: what to go on from.
        samples: what to learn.
        training: for how long.
        out: folder to write.

    Returns:
        The checkpoint, with what was done in its settings.

    Raises:
        OptionError: if the loss is no longer finite.
        FileError: if something else than a checkpoint is in the folder.
    """
    import torch

    if training.threads is not None:
        torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    rng = np.random.default_rng(training.seed)
    model = checkpoint.model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=training.rate, weight_decay=0.01)
    start = saved = time.monotonic()
    share, losses, interrupted = 0.0, [], False
    pool = rng.permutation(0)
    with progress(total=training.steps, unit="step", desc="train") as bar:
        try:
            while share < 1.0:
                if len(pool) < training.batch:
                    pool = np.concatenate([pool, rng.permutation(len(samples))])
                chosen, pool = pool[: training.batch], pool[training.batch :]
                for group in optimizer.param_groups:
                    group["lr"] = training.rate * schedule(share)
                loss = step(checkpoint, samples, chosen)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                losses.append(loss.item())
                if not np.isfinite(losses[-1]):
                    raise OptionError(f"the loss is {losses[-1]} after {len(losses)} steps; lower the rate")
                bar.set_postfix_str(f"loss {np.mean(losses[-KEPT:]):.3f}", refresh=False)
                bar.update()
                now = time.monotonic()
                share = len(losses) / training.steps
                if training.minutes is not None:
                    share = max(share, (now - start) / 60 / training.minutes)
                if now - saved > SAVE_EVERY:
                    _finished(checkpoint, training, losses, complete=False).save(out)
                    saved = time.monotonic()
        except KeyboardInterrupt:
            interrupted = True
    model.eval()
    result = _finished(checkpoint, training, losses, complete=not interrupted)
    result.save(out)
    return result


def step(checkpoint: Checkpoint, samples: Samples, chosen: np.ndarray):
    """The loss of flow matching on some samples, a scalar tensor."""
    inputs = checkpoint.inputs(
        [list(samples.pictures[k]) for k in chosen],
        [samples.texts[k] for k in chosen],
        samples.states[chosen],
        samples.actions[chosen],
    )
    return checkpoint.model(**inputs).loss


def schedule(share: float) -> float:
    """Share of the greatest learning rate when ``share`` of the training is done: up fast, then a cosine."""
    rise = 0.03
    if share < rise:
        return (share + 1e-3) / rise
    return 0.5 * (1 + np.cos(np.pi * (share - rise) / (1 - rise)))


def _finished(
    checkpoint: Checkpoint, training: Training, losses: list[float], *, complete: bool
) -> Checkpoint:
    done = {
        **asdict(training),
        "steps_done": len(losses),
        "loss_first": float(np.mean(losses[:KEPT])) if losses else None,
        "loss_last": float(np.mean(losses[-KEPT:])) if losses else None,
        "complete": complete,
    }
    settings = replace(checkpoint.settings, training=done)
    return Checkpoint(model=checkpoint.model, processor=checkpoint.processor, settings=settings)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(prog="python -m bomb.models.pi0.train", description=__doc__)
    words.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="of bomb collect")
    words.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoint to write")
    words.add_argument("--start", type=Path, metavar="DIR", help="checkpoint to go on from")
    words.add_argument("--episodes", type=int, metavar="N", help="the first N of each dataset")
    words.add_argument("--backends", default="mujoco,robotwin", metavar="NAMES", help="engines that draw")
    words.add_argument("--cameras", default="head", metavar="NAMES", help="comma-separated")
    words.add_argument("--image-size", type=int, default=64, metavar="PIXELS", help="side of each picture")
    for kind, group in ((SmallPi0, "a new model"), (Training, "training")):
        section = words.add_argument_group(group)
        for name, entry in kind.__dataclass_fields__.items():
            number = float if name in ("rate", "minutes") else int
            section.add_argument(
                f"--{name.replace('_', '-')}", type=number, default=entry.default, metavar="N"
            )
    return words


def main(words: list[str] | None = None) -> int:
    """Draws the demonstrations, trains, writes the checkpoint."""
    args = parser().parse_args(words)
    try:
        with the_extra():
            import torch  # noqa: F401 -- missed before anything is drawn
            import transformers  # noqa: F401
        check_free(args.out.resolve())
        datasets = [Dataset.open(folder) for folder in args.data]
        sizes = SmallPi0(**{name: getattr(args, name) for name in SmallPi0.__dataclass_fields__})
        training = Training(**{name: getattr(args, name) for name in Training.__dataclass_fields__})
        start = Checkpoint.load(args.start) if args.start else None
        cameras = start.settings.cameras if start else tuple(args.cameras.split(","))
        samples = make_samples(
            datasets,
            backends=args.backends.split(","),
            cameras=cameras,
            image_size=start.settings.image_size if start else (args.image_size, args.image_size),
            chunk=start.chunk if start else sizes.chunk,
            limit=args.episodes,
        )
        trained_on = [provenance(dataset, args.episodes) for dataset in datasets]
        if start is None:
            checkpoint = new_checkpoint(
                samples, sizes, cameras=cameras, trained_on=trained_on, seed=training.seed
            )
        else:
            checkpoint = continued(start, samples, trained_on)
        print(f"{len(samples)} moments, {checkpoint.parameters():,} parameters", file=sys.stderr)
        result = train(checkpoint, samples, training, args.out)
    except BombError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the training began: there is nothing to write
        return INTERRUPTED
    print(json.dumps(result.settings.training))
    return 0 if result.settings.training["complete"] else INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
