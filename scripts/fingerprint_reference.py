"""Writes the fingerprint that others compare theirs with: ``python -m scripts.fingerprint_reference``.

After a change of physics, draws, renderer or engine versions.
"""

from bomb.disk.files import write_json
from bomb.machine.fingerprint import REFERENCE, as_reference, play
from core.registry import BACKENDS


def main() -> None:
    """Plays the fixed episode in every engine."""
    write_json(REFERENCE, as_reference({backend: play(backend) for backend in BACKENDS.names()}))
    print(f"{REFERENCE} written")


if __name__ == "__main__":
    main()
