"""Recipes: everything that decides what a training run does, as frozen values with checked numbers.

``bomb.training.reading`` reads them from YAML; docs/training.md lists them.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from bomb.integrations.actions import ActionConvention
from bomb.models.codecs.normalising import Normalisation
from bomb.models.lora import LoRA
from bomb.training.auxiliary_recipe import AuxiliaryRecipe
from bomb.training.data_recipe import DataRecipe
from core.errors import NATURAL, POSITIVE, Number, OptionError, check_choice, check_flag, check_numbers
from core.rendering.observation import ObservationSpec

STARTS = ("checkpoint", "vlm", "random")
TRAINED = ("full", "lora", "only")
SCHEDULES = ("constant", "cosine", "linear", "step")
PRECISIONS = ("float32", "bfloat16")
RULES = ("last", "loss", "mse", "group", "error", "closed-loop")
SHARE = Number(whole=False, least=0, most=1)
RATE = Number(whole=False, above=0)
WEIGHT = Number(whole=False, least=0)


@dataclass(frozen=True, kw_only=True)
class ModelRecipe:
    """What is trained, and where its weights come from.

    Attributes:
        family: registered name; see ``bomb.models.registry``.
        start: ``checkpoint``: the folder of a checkpoint of the family. ``vlm``: the folder of a published
            VLM, with a new head. ``random``: random weights; with a folder those of its architecture (of a
            checkpoint, or of a VLM, which is then trained from scratch), else a tiny model.
        folder: of the start; ``bomb train --start`` overrides it.
        cameras: what the model looks through, in its order.
        image_size: (height, width) of the pictures that it is given (pixels).
        chunk: actions that are made at once.
        history: moments that it looks at, the present one included.
        future: moments after the present one that it is shown while learning, for models that foresee.
        convention: what the numbers of an action mean; its ``action_mode`` is what demonstrations are
            converted to.
        normalisation: how actions are normalised.
        options: of the family, as in ``bomb.json``; of a checkpoint's they change those that are named.
        statistics: by which actions and states are normalised: of the ``data``, or of the ``start``.
        tokens: what action tokens that are fitted mean (FAST's, SpatialVLA's bins): as at the ``start``, or
            fitted to the ``data`` before the first step.
        weights: in which the parameters are kept, out of ``PRECISIONS``; None: as they are stored.
    """

    family: str
    start: str = "random"
    folder: str | None = None
    cameras: tuple[str, ...] = ("head",)
    image_size: tuple[int, int] = (224, 224)
    chunk: int = 1
    history: int = 1
    future: int = 0
    convention: ActionConvention = field(default_factory=ActionConvention)
    normalisation: Normalisation = field(default_factory=Normalisation)
    options: dict[str, Any] = field(default_factory=dict)
    statistics: str = "data"
    tokens: str = "start"
    weights: str | None = None

    def __post_init__(self) -> None:
        check_choice("start", self.start, STARTS)
        for name in ("statistics", "tokens"):
            check_choice(name, getattr(self, name), ("data", "start"))
        check_numbers(self, {"chunk": POSITIVE, "history": POSITIVE, "future": NATURAL})
        ObservationSpec(cameras=self.cameras, image_size=self.image_size, modalities=("rgb",))
        if not self.cameras:
            raise OptionError("cameras is empty: a VLA looks at pictures")
        if self.weights is not None:
            check_choice("weights", self.weights, PRECISIONS)


@dataclass(frozen=True, kw_only=True)
class TrainedRecipe:
    """Which parameters learn.

    Attributes:
        kind: ``full``: all that is not frozen. ``lora``: adapters, see ``lora``. ``only``: the parts in
            ``parts`` and nothing else, such as a head or an action expert.
        lora: the adapters of ``lora``.
        parts: names of the family's parts, see ``VLA.parts``: trained as a whole beside adapters, or alone.
        freeze: names of parts that stay as they are, such as ``vision`` and ``words``.
    """

    kind: str = "full"
    lora: LoRA = field(default_factory=LoRA)
    parts: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice("kind of training", self.kind, TRAINED)
        if self.kind == "only" and not self.parts:
            raise OptionError("kind 'only' trains the parts in parts, which names none")
        if self.kind == "full" and self.parts:
            raise OptionError("kind 'full' trains every part; parts is for 'lora' and 'only'")


@dataclass(frozen=True, kw_only=True)
class OptimiserRecipe:
    """AdamW and its schedule.

    Attributes:
        rate: greatest learning rate.
        rates: factors of the rate by part of the family, such as ``{"vision": 0.1}``.
        betas, epsilon, weight_decay: of AdamW; norms and biases are not decayed.
        warm_up: steps in which the rate rises from 0.
        schedule: after the warm-up: ``constant``; ``cosine`` or ``linear`` down to ``final`` at the last
            step; ``step``: ``final`` of it from ``fall_at`` on.
        final: share of the rate at the end.
        fall_at: share of all steps after which ``step`` falls.
        clip: greatest norm of the gradient; None does not clip.
        ema: decay of the running mean of the weights, which is what is evaluated and saved; None keeps none.
            After n steps the decay is min(ema, (1 + n) / (10 + n)).
    """

    rate: float = 1e-4
    rates: dict[str, Any] = field(default_factory=dict)
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    warm_up: int = 0
    schedule: str = "constant"
    final: float = 0.1
    fall_at: float = 0.67
    clip: float | None = 1.0
    ema: float | None = None

    def __post_init__(self) -> None:
        check_choice("schedule", self.schedule, SCHEDULES)
        positive = Number(whole=False, above=0, optional=True)
        check_numbers(
            self,
            {
                "rate": RATE, "epsilon": RATE, "weight_decay": WEIGHT, "warm_up": NATURAL,
                "final": SHARE, "fall_at": SHARE, "clip": positive,
                "ema": Number(whole=False, least=0, most=0.999999, optional=True),
            },
        )  # fmt: skip
        for beta in self.betas:
            Number(whole=False, least=0, most=0.999999).check("betas", beta)
        for part, factor in self.rates.items():
            WEIGHT.check(f"rates.{part}", factor)


@dataclass(frozen=True, kw_only=True)
class LossRecipe:
    """What is to become small; the kind of loss is the family's.

    Attributes:
        groups: weights of the groups of an action, such as ``{"xy": 2.0}``; those left out weigh 1.
    """

    groups: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, weight in self.groups.items():
            WEIGHT.check(f"groups.{name}", weight)


@dataclass(frozen=True, kw_only=True)
class AugmentationRecipe:
    """What is done to pictures while learning; nothing is ever flipped: rows and columns would change.

    Attributes:
        crop: least share of a picture's area that is kept; it is resized to the whole. None: no crop.
        rotate: greatest angle, to either side (degrees).
        brightness: greatest share by which all is lighter or darker.
        contrast, saturation: greatest share by which they change.
        hue: greatest turn of the hue, as a share of the circle.
        wrist: whether cameras on the hand are cropped and rotated, too.
    """

    crop: float | None = None
    rotate: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    wrist: bool = False

    def __post_init__(self) -> None:
        numbers = {name: Number(whole=False, least=0, most=0.99) for name in _COLOURS}
        crop = Number(whole=False, least=0.1, most=1, optional=True)
        rotate = Number(whole=False, least=0, most=45)
        check_numbers(self, {**numbers, "hue": Number(whole=False, least=0, most=0.5)})
        check_numbers(self, {"crop": crop, "rotate": rotate})
        check_flag("wrist", self.wrist)


_COLOURS = ("brightness", "contrast", "saturation")


@dataclass(frozen=True, kw_only=True)
class HeldOutRecipe:
    """What is measured while learning, on episodes that are not learned from.

    Attributes:
        every: steps between measurements; the last step is always measured.
        moments: of the held-out episodes that are measured, at most, evenly spread; None: all.
        batch: moments that go through the model at once.
    """

    every: int = 500
    moments: int | None = 240
    batch: int = 16

    def __post_init__(self) -> None:
        check_numbers(self, {"every": POSITIVE, "moments": Number(least=1, optional=True), "batch": POSITIVE})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole training run.

    Attributes:
        name: of the recipe.
        model, trained, data, loss, optimiser, augmentation, held_out: see there.
        steps: of the optimiser.
        batch: samples per step, over all processes.
        micro_batch: samples that go through the model at once in one process, at most; the rest is
            accumulated. None: all.
        precision: ``bfloat16`` computes in it where it can; see also ``ModelRecipe.weights``.
        gradient_checkpointing: whether activations are made again in the backward pass.
        log_every: steps between lines of ``metrics.jsonl``.
        save_every: steps between checkpoints.
        keep: states to resume from that are kept; every checkpoint to play is kept.
        select: how the checkpoint is chosen: ``last``, ``loss`` (held out), ``mse``, ``group:NAME``,
            ``error:NAME`` (of models that tell errors of their own, in mm) or
            ``closed-loop@N`` (N scenes of the split ``validation`` in each simulator).
        seed: of weights, order, noise and augmentation.
        threads: of torch in each process; None leaves it to torch.
    """

    name: str
    model: ModelRecipe
    trained: TrainedRecipe = field(default_factory=TrainedRecipe)
    data: DataRecipe = field(default_factory=DataRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)
    auxiliary: AuxiliaryRecipe = field(default_factory=AuxiliaryRecipe)
    augmentation: AugmentationRecipe = field(default_factory=AugmentationRecipe)
    held_out: HeldOutRecipe = field(default_factory=HeldOutRecipe)
    steps: int = 1000
    batch: int = 16
    micro_batch: int | None = None
    precision: str = "float32"
    gradient_checkpointing: bool = False
    log_every: int = 10
    save_every: int = 500
    keep: int = 1
    select: str = "mse"
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        optional = Number(least=1, optional=True)
        check_numbers(
            self,
            {
                "steps": POSITIVE, "batch": POSITIVE, "micro_batch": optional, "log_every": POSITIVE,
                "save_every": POSITIVE, "keep": POSITIVE, "seed": NATURAL, "threads": optional,
            },
        )  # fmt: skip
        check_choice("precision", self.precision, PRECISIONS)
        check_flag("gradient_checkpointing", self.gradient_checkpointing)
        parse_rule(self.select)
        if self.optimiser.warm_up > self.steps:
            raise OptionError(f"warm_up must be at most the {self.steps} steps, got {self.optimiser.warm_up}")
        if self.data.depth and (self.augmentation.crop is not None or self.augmentation.rotate):
            raise OptionError("depth is not cropped or rotated with the pictures: leave out crop and rotate")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def parse_rule(rule: str) -> tuple[str, str | int | None]:
    """A rule of selection and what it is about: ("group", "xy"), ("closed-loop", 20), ("mse", None).

    Raises:
        UnknownNameError, OptionError: for any other words.
    """
    if not isinstance(rule, str):
        raise OptionError(f"select must be words, got {rule!r}")
    kind, mark, about = rule.partition("@" if rule.startswith("closed-loop") else ":")
    check_choice("rule of selection", kind, RULES)
    if kind == "closed-loop":
        if not about.isdecimal() or int(about) < 1:
            raise OptionError(
                f"select: closed-loop takes a number of scenes, as closed-loop@20; got {rule!r}"
            )
        return kind, int(about)
    if kind in ("group", "error"):
        if not about:
            example = {"group": "group:xy", "error": "error:goal"}[kind]
            raise OptionError(f"select: {kind} takes a name, as {example}; got {rule!r}")
        return kind, about
    if mark:
        raise OptionError(f"select: {kind} takes nothing, got {rule!r}")
    return kind, None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple | list) else value
