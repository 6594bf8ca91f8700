"""RLDS as TFDS stores it, for OpenVLA's trainer and others that read Open X-Embodiment data.

::

    NAME/1.0.0/NAME-train.tfrecord-00000, dataset_info.json, features.json, dataset_statistics.json

Actions are ``EEF_POS`` of seven entries, ``[dx, dy, dz, 0, 0, 0, gripper]`` with 1 open; the state is
``POS_EULER``, ``[x, y, z, 0, 0, 0, 0, gripper]``. The code of tensorflow-datasets encodes and
describes them.
"""

import errno
import io
import os
import pickle
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bomb.demonstrations.demonstration import Demonstration
from bomb.disk.files import write_json
from bomb.exports.columns import features as column_features
from bomb.exports.frames import ExportFrame
from bomb.exports.pictures import ENCODERS, Encoding, encode_png
from bomb.exports.plan import EpisodePlan, ExportPlan, Rows
from bomb.exports.rlds_vectors import MASK, STATE_LAYOUT, open_x_actions, open_x_states
from bomb.exports.statistics import PictureHistogram, number_statistics, plain, sampled
from bomb.exports.writer import Drawn, ShardReport, Writer
from core.errors import missing_extra

RELEASE = "1.0.0"
_SPLIT = "train"
# What tfds' own writer calls shards whose number is not known beforehand.
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_INDEX}"
_DRAWN = "drawn.pickle"  # the episodes of a shard, until the parent has encoded them
_STATISTICS = ("mean", "std", "max", "min", "q01", "q99")


def tfds() -> Any:
    """tensorflow-datasets, quiet."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow
    import tensorflow_datasets

    tensorflow.config.set_visible_devices([], "GPU")  # nothing here computes
    return tensorflow_datasets


@contextmanager
def _as_oserror(path: Path) -> Iterator[None]:
    """Says of TensorFlow's errors what Python says: that a file could not be written.

    Raises:
        OSError: naming the path and the reason.
    """
    import tensorflow

    try:
        yield
    except tensorflow.errors.OpError as error:
        # "NAME; No space left on device": the last part is the system's own word.
        reason = (error.message or type(error).__name__).splitlines()[0].rpartition("; ")[2]
        raise OSError(errno.EIO, reason, str(path)) from error


class RldsWriter(Writer):
    """A shard is one TFRecord file, an episode one record of it."""

    words: ClassVar[str] = "RLDS in TFDS, for OpenVLA"
    pictures: ClassVar[tuple[str, ...]] = ("png", "jpeg")
    state_layout: ClassVar[str] = STATE_LAYOUT
    # TensorFlow and Mesa's software renderer end a process that loads both: each has its own LLVM.
    draws_apart: ClassVar[bool] = True

    @classmethod
    def check(cls) -> None:
        if find_spec("tensorflow") is None or find_spec("tensorflow_datasets") is None:
            raise missing_extra("the format rlds", "rlds")

    @staticmethod
    def vectors(demonstration: Demonstration, actions: Rows) -> tuple[Rows, Rows]:
        return open_x_states(demonstration), open_x_actions(actions)

    def root(self, out: Path) -> Path:
        return out / self.settings.name / RELEASE

    def data_files(self, root: Path) -> Iterable[Path]:
        return root.glob("*.tfrecord-*")

    def image_key(self, camera: str) -> str:
        """``image`` is the main view; LIBERO's data calls the others so, too."""
        return "image" if camera == self.settings.cameras[0] else f"{camera}_image"

    def features(self) -> Any:
        """The features of an episode."""
        kinds, settings = tfds().features, self.settings
        encoding = settings.pictures
        observation = {
            self.image_key(camera): kinds.Image(shape=(*settings.image_size, 3), encoding_format=encoding)
            for camera in settings.cameras
        }
        observation["state"] = kinds.Tensor(shape=(8,), dtype=np.float32)
        columns = {}
        for name, feature in column_features(settings.columns, settings.cameras, settings.image_size).items():
            if feature.dtype == "depth":
                kind = kinds.Image(shape=feature.shape, dtype=np.uint16, encoding_format="png")
            elif feature.dtype == "string":
                kind = kinds.Text()
            else:
                kind = kinds.Tensor(shape=feature.shape, dtype=np.dtype(feature.dtype))
            columns[_column(name)] = kind
        step = {
            "observation": kinds.FeaturesDict(observation),
            "action": kinds.Tensor(shape=(7,), dtype=np.float32),
            "language_instruction": kinds.Text(),
            "is_first": np.bool_,
            "is_last": np.bool_,
            "is_terminal": np.bool_,
            "reward": np.float32,
            "discount": np.float32,
            **({"annotation": kinds.FeaturesDict(columns)} if columns else {}),
        }
        about = {"seed": np.int64, "visual_draw": np.int64, "fingerprint": kinds.Text()}
        return kinds.FeaturesDict(
            {"steps": kinds.Dataset(step), "episode_metadata": kinds.FeaturesDict(about)}
        )

    def write_shard(self, folder: Path, episodes: Iterable[Drawn]) -> ShardReport:
        histograms: dict[str, PictureHistogram] = {}
        count = 0
        with (folder / _DRAWN).open("wb") as file, Encoding() as encoding:
            for plan, frames in episodes:
                steps = self._steps(plan, frames, encoding, histograms)
                about = {
                    "seed": plan.seed,
                    "visual_draw": plan.visual_draw,
                    "fingerprint": plan.fingerprint,
                }
                pickle.dump({"steps": steps, "episode_metadata": about}, file)
                count += 1
        return ShardReport(episodes=count, histograms=histograms)

    def finish(self, folder: Path, shard: int) -> None:
        tfds()
        import tensorflow

        features = self.features()
        target = folder / f"{self.settings.name}-{_SPLIT}.tfrecord-{shard:05d}"
        with (
            (folder / _DRAWN).open("rb") as file,
            _as_oserror(target),
            tensorflow.io.TFRecordWriter(str(target)) as records,
        ):
            while file.peek(1):
                records.write(features.serialize_example(pickle.load(file)))
        (folder / _DRAWN).unlink()

    def _steps(
        self,
        plan: EpisodePlan,
        frames: Iterable[ExportFrame],
        encoding: Encoding,
        histograms: dict[str, PictureHistogram],
    ) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = []
        counted, last = sampled(plan.length), plan.length - 1
        for k, frame in enumerate(frames):
            observation: dict[str, object] = {"state": plan.states[k]}
            for camera, picture in frame.images.items():
                if k in counted:
                    histograms.setdefault(camera, PictureHistogram()).add(picture)
                encoder = ENCODERS[self.settings.pictures]
                observation[self.image_key(camera)] = encoding.begin(encoder, picture)
            step = {
                "observation": observation,
                "action": plan.actions[k],
                "language_instruction": plan.texts[k],
                "is_first": k == 0,
                "is_last": k == last,
                "is_terminal": k == last,
                "reward": float(k == last),
                "discount": 1.0,
            }
            columns = {_column(name): _encoded(value, encoding) for name, value in frame.columns.items()}
            steps.append({**step, "annotation": columns} if columns else step)
        return [{name: _ready(value) for name, value in step.items()} for step in steps]

    def write_meta(
        self,
        root: Path,
        plan: ExportPlan,
        shards: list[range],
        pictures: dict[str, PictureHistogram],
        lines: list[dict[str, Any]],
    ) -> None:
        core = tfds().core
        name, episodes = self.settings.name, shards[-1].stop if shards else 0
        identity = core.dataset_info.DatasetIdentity(
            name=name, version=core.utils.Version(RELEASE), data_dir=str(root), module_name=""
        )
        words = f"{self.dataset['task']}: demonstrations of BOMB, the BOard Manipulation Benchmark."
        info = core.DatasetInfo(builder=identity, features=self.features(), description=words)
        info.set_file_format(core.FileFormat.TFRECORD)
        template = core.ShardedFileTemplate(
            data_dir=root, template=_TEMPLATE, dataset_name=name, split=_SPLIT, filetype_suffix="tfrecord"
        )
        split = core.SplitInfo(
            name=_SPLIT,
            shard_lengths=[len(shard) for shard in shards],
            num_bytes=sum(file.stat().st_size for file in self.data_files(root)),
            filename_template=template,
        )
        info.set_splits(core.splits.SplitDict([split]))
        write_json(root / "dataset_statistics.json", {name: statistics(plan, episodes)})
        with tempfile.TemporaryDirectory(dir=root) as beside:
            with _as_oserror(root):
                info.write_to_directory(beside)
            # dataset_info.json last: it says how many shards there are.
            made = sorted(Path(beside).iterdir(), key=lambda file: file.name == "dataset_info.json")
            for file in made:
                file.replace(root / file.name)

    def readme(self) -> list[str]:
        name = self.settings.name
        return [
            f'Read with `tfds.builder("{name}", data_dir=...)` on this folder, or '
            f"`tfds.builder_from_directory` on `{name}/{RELEASE}`.",
        ]


def statistics(plan: ExportPlan, episodes: int) -> dict[str, Any]:
    """What OpenVLA normalises with: of actions and states of the first so many episodes, and their mask."""
    done = plan.episodes[:episodes]
    made: dict[str, Any] = {}
    for name, values in (
        ("action", [episode.actions for episode in done]),
        ("proprio", [episode.states for episode in done]),
    ):
        of_values = plain(number_statistics(np.concatenate(values)))
        made[name] = {key: of_values[key] for key in _STATISTICS}
    made["action"] = {**made["action"], "mask": list(MASK)}
    return {**made, "num_transitions": plan.frames(episodes), "num_trajectories": episodes}


def _column(name: str) -> str:
    """``annotation.occupancy`` is ``occupancy`` in the step's ``annotation``; TFDS allows no dots."""
    return name.split(".", 1)[1].replace(".", "_")


def _encoded(value: object, encoding: Encoding) -> object:
    return encoding.begin(encode_png, value) if isinstance(value, np.ndarray) and value.ndim == 3 else value


def _ready(value: object) -> object:
    """The step with its pictures as files, which TFDS stores as they are."""
    if isinstance(value, dict):
        return {name: _ready(inner) for name, inner in value.items()}
    return io.BytesIO(value.result()) if isinstance(value, Future) else value
