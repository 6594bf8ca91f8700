"""What openpi-client's codec and its resizing make of things: ``codec.py FOLDER``.

Packs ``value()`` into ``theirs.bin``, reads ``ours.bin`` and packs it again into ``ours_again.bin``, and
resizes the arrays of ``pictures.npz`` into ``resized.npz``.
"""

import sys
from pathlib import Path

import numpy as np


def value() -> dict:
    """One of everything that is sent."""
    rng = np.random.default_rng(0)
    kinds = ["u1", "i8", "f4", "f8", "?", "f2", ">f4", "<U5"]
    arrays = {kind: np.arange(24).reshape(2, 3, 4).astype(kind) for kind in kinds}
    views = {
        "turned": rng.uniform(size=(4, 5))[::-1, ::2].T,
        "empty": np.zeros((0, 4)),
        "scalar": np.array(7),
    }
    scalars = {"f4": np.float32(0.5), "f8": np.float64(0.5), "i8": np.int64(-2), "b": np.bool_(True)}
    return {
        "arrays": arrays,
        "views": views,
        "scalars": scalars,
        "plain": [1, 2.5, "three", None, True, b"4"],
    }


def main(folder: Path) -> None:
    """Does all three."""
    from openpi_client import image_tools, msgpack_numpy

    (folder / "theirs.bin").write_bytes(msgpack_numpy.packb(value()))
    ours = msgpack_numpy.unpackb((folder / "ours.bin").read_bytes())
    (folder / "ours_again.bin").write_bytes(msgpack_numpy.packb(ours))
    pictures = np.load(folder / "pictures.npz")
    resized = {name: image_tools.resize_with_pad(pictures[name], 224, 224) for name in pictures.files}
    np.savez(folder / "resized.npz", **resized)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
