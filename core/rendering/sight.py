"""What a policy looks at, as it declares it, and whether that is what it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from core.errors import ConventionError, OptionError, plain_integer
from core.policy import Policy
from core.rendering.observation import MODALITY_KEYS, PICTURE_KEYS, ObservationSpec

SIZE = (256, 256)  # of pictures that nobody says the size of
DECLARED = ("cameras", "image_size", "modalities")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a policy must be shown. None: it declares nothing, and takes whatever there is.

    Attributes:
        cameras: it looks through all of these; empty: it looks at nothing. More may be shown.
        image_size: (height, width) of its pictures, in pixels; one number is both.
        modalities: out of ``core.rendering.observation.MODALITIES``; more may be shown.

    Raises:
        OptionError, UnknownNameError: for what no environment has.
    """

    cameras: tuple[str, ...] | None = None
    image_size: tuple[int, int] | None = None
    modalities: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("cameras", "modalities"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _sequence(name, value))
        if self.image_size is not None:
            size = plain_integer(self.image_size)
            size = (size, size) if isinstance(size, int) else _sequence("image_size", size)
            object.__setattr__(self, "image_size", tuple(plain_integer(side) for side in size))
        ObservationSpec(
            cameras=self.cameras or (),
            image_size=self.image_size or SIZE,
            modalities=self.modalities or (),
        )

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """What a policy declares with its attributes."""
        return cls(**{name: getattr(policy, name) for name in DECLARED})

    @classmethod
    def read(cls, description: Mapping[str, Any]) -> Self:
        """What a description, plain values, says; other entries are left alone."""
        return cls(**{name: description.get(name) for name in DECLARED})

    def to_dict(self) -> dict[str, list[Any]]:
        """What is declared, as plain values."""
        values = {name: getattr(self, name) for name in DECLARED}
        return {name: list(value) for name, value in values.items() if value is not None}

    def check(self, who: str, shown: ObservationSpec) -> None:
        """Returns if an environment shows all that is declared, in the size that is declared.

        Args:
            who: the policy, for the message.
            shown: what the environment's observations hold.

        Raises:
            ConventionError: naming what is missing or of another size.
        """
        wrong = []
        if missing := [name for name in self.cameras or () if name not in shown.cameras]:
            wrong.append(f"looks through {_words(self.cameras)}, and is not shown {_words(missing)}")
        if self.cameras != () and shown.cameras:
            if missing := [name for name in self.modalities or () if name not in shown.modalities]:
                wrong.append(f"looks at {_words(self.modalities)}, and is not shown {_words(missing)}")
            if self.image_size not in (None, shown.image_size):
                sizes = _pixels(self.image_size), _pixels(shown.image_size)
                wrong.append("looks at pictures of {}, and is shown {}".format(*sizes))
        if wrong:
            raise ConventionError(f"policy {who} " + "; it ".join(wrong))

    def seen(self, *, privileged: bool) -> "Sight":
        """The same with what a policy is shown by default, where it declares nothing: ``head`` in 256 x 256
        pixels of ``rgb``, and nothing if it is privileged.
        """
        cameras = () if privileged else ("head",)
        return replace(
            self,
            cameras=cameras if self.cameras is None else self.cameras,
            image_size=self.image_size or SIZE,
            modalities=("rgb",) if self.modalities is None else self.modalities,
        )

    def check_observation(self, who: str, observation: Mapping[str, Any]) -> None:
        """Returns if an observation holds all that is declared, in the size that is declared.

        Raises:
            ConventionError: as ``check``.
        """
        modalities = tuple(name for name, key in MODALITY_KEYS.items() if observation.get(key))
        pictures = [observation[MODALITY_KEYS[name]] for name in modalities]
        cameras = [name for name in (pictures[0] if pictures else ()) if all(name in one for one in pictures)]
        if not pictures:
            self.check(who, ObservationSpec(cameras=(), image_size=SIZE, modalities=()))
        drawn = [observation[key] for name, key in PICTURE_KEYS.items() if name in modalities]
        for size in {one[camera].shape[:2] for one in drawn for camera in one} or {self.image_size or SIZE}:
            shown = ObservationSpec(
                cameras=tuple(cameras), image_size=(int(size[0]), int(size[1])), modalities=modalities
            )
            self.check(who, shown)


def described(policy: Policy) -> dict[str, Any]:
    """``policy.describe()`` with what it declares to look at.

    Raises:
        OptionError: if attributes and description say different things.
    """
    said, declared = policy.describe(), Sight.of(policy).to_dict()
    if not isinstance(said, dict):
        return said
    theirs = Sight.read(said).to_dict()
    for name in declared.keys() & theirs.keys():
        if declared[name] != theirs[name]:
            raise OptionError(
                f"{name} of {type(policy).__name__} is {declared[name]}, and describe() says {theirs[name]}"
            )
    return {**said, **theirs, **declared}


def _sequence(name: str, value: object) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise OptionError(f"{name} of a policy must be a sequence, got {value!r}")
    return tuple(value)


def _words(names: Sequence[str] | None) -> str:
    return " and ".join(names or ())


def _pixels(size: tuple[int, int] | None) -> str:
    return "{} x {} pixels".format(*(size or ("?", "?")))
