"""A checkpoint in memory: model, processor, settings; what goes in, and what comes out."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bomb.disk.files import FileError
from bomb.integrations.actions import GRIPPERS
from bomb.models.folders import without_bars, written
from bomb.models.pi0.settings import Pi0Settings
from core.errors import ConventionError, missing_extra


@contextmanager
def the_extra():
    """Turns a missing torch or transformers into an error that says how to get them."""
    try:
        yield
    except ImportError as error:
        raise missing_extra("pi0", "vla") from error


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """A pi0 that can be trained or asked.

    Attributes:
        model: ``PI0ForConditionalGeneration``.
        processor: ``PI0Processor``, with the statistics of state and actions.
        settings: what BOMB has to know.
    """

    model: Any
    processor: Any
    settings: Pi0Settings

    @property
    def device(self):
        """Where the model is."""
        return self.model.device

    @property
    def chunk(self) -> int:
        """Actions that are made at once."""
        return self.model.config.chunk_size

    @property
    def noise_shape(self) -> tuple[int, int]:
        """Of the noise that one chunk is made from: (chunk, numbers of an action)."""
        return self.chunk, self.model.config.max_action_dim

    def parameters(self) -> int:
        """How many."""
        return sum(weight.numel() for weight in self.model.parameters())

    def memory_mb(self) -> float:
        """What the weights take."""
        return round(sum(w.numel() * w.element_size() for w in self.model.parameters()) / 1e6, 1)

    def inputs(
        self,
        pictures: Sequence[Sequence[np.ndarray]],
        texts: Sequence[str],
        states: np.ndarray,
        actions: np.ndarray | None = None,
    ) -> dict:
        """What the model takes, on its device.

        Args:
            pictures: per sample one uint8[H, W, 3] per camera.
            texts: per sample the instruction.
            states: float32[N, 4], as observations have them.
            actions: float32[N, chunk, 4], to be learned.
        """
        pieces = self.processor.image_seq_length * len(self.settings.cameras)
        batch = self.processor(
            images=[list(sample) for sample in pictures],
            text=list(texts),
            state=states,
            **({} if actions is None else {"actions": actions}),
            max_length=pieces + self.settings.text_tokens,
            truncation=True,
        )
        kind = self.model.dtype
        return {
            name: value.to(self.device, kind if value.is_floating_point() else value.dtype)
            for name, value in batch.items()
            if name != "token_type_ids"
        }

    def actions(self, chunks) -> np.ndarray:
        """The model's output, tensor[N, chunk, numbers], as its own actions, float64[N, chunk, dims].

        Padding is cut off and the normalisation undone. A gripper beyond its range is put at its end: a
        regression overshoots, which says nothing about the convention.
        """
        dims, grip = self.settings.convention.dims, GRIPPERS[self.settings.convention.gripper]
        values = chunks[..., :dims].detach().to("cpu").double().numpy()
        mean, std = (np.asarray(v)[:dims] for v in (self.processor.actions_mean, self.processor.actions_std))
        actions = values * std + mean
        actions[..., -1] = np.clip(actions[..., -1], grip.low, grip.high)
        return actions

    def look(self, observation: dict) -> list[np.ndarray]:
        """The pictures of an observation, in the order of the checkpoint's cameras.

        Raises:
            ConventionError: if a camera is missing, or pictures have another size than it was trained on.
        """
        pictures, wanted = observation.get("images", {}), self.settings.cameras
        if missing := [camera for camera in wanted if camera not in pictures]:
            raise ConventionError(
                f"pi0 looks through {', '.join(wanted)}; the observation lacks {', '.join(missing)}"
            )
        height, width = self.settings.image_size
        for camera in wanted:
            if pictures[camera].shape[:2] != (height, width):
                raise ConventionError(
                    f"pi0 was trained on pictures of {height} x {width} pixels, "
                    f"{camera} has {' x '.join(map(str, pictures[camera].shape[:2]))}"
                )
        return [pictures[camera] for camera in wanted]

    def save(self, folder: Path) -> None:
        """Writes the folder as a whole: it is there completely or, as before, not at all.

        Raises:
            FileError: if something else than a checkpoint is there.
        """
        with written(folder) as fresh:
            self.model.save_pretrained(fresh)
            self.processor.save_pretrained(fresh)
            self.settings.write(fresh)

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "auto") -> "Checkpoint":
        """Reads a folder with ``from_pretrained``; nothing is downloaded.

        Args:
            folder: of the checkpoint.
            device: torch's name; ``auto`` takes a GPU where there is one.

        Raises:
            FileError: naming the folder and what is wrong with it.
            BombError: if torch or transformers are not installed.
        """
        folder = Path(folder)
        settings = Pi0Settings.read(folder)
        with the_extra():
            import torch
            from transformers import PI0ForConditionalGeneration, PI0Processor
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            with without_bars():
                model = PI0ForConditionalGeneration.from_pretrained(folder, local_files_only=True)
                processor = PI0Processor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise FileError(f"{folder} cannot be loaded: {error}") from error
        missing = [n for n in ("state", "actions") if getattr(processor, f"{n}_mean", None) is None]
        if missing:
            raise FileError(f"{folder} has no statistics of {', '.join(missing)} in its processor")
        if len(processor.actions_mean) < settings.convention.dims:
            raise FileError(
                f"{folder} has statistics of {len(processor.actions_mean)} numbers of an action, "
                f"its bomb.json speaks of {settings.convention.dims}"
            )
        return cls(model=model.to(device).eval(), processor=processor, settings=settings)
