"""Writes the golden games anew: ``python -m tests.golden.regenerate``. Look at what changed."""

import core
from tests.golden.transcript import golden_file, transcript


def main() -> None:
    """Plays each task's game in the first backend."""
    for task in core.list_tasks():
        text = transcript(task, core.list_backends()[0])
        file = golden_file(task)
        same = file.exists() and file.read_text() == text
        file.write_text(text)
        print(f"{file.name}: {'unchanged' if same else 'written'}")


if __name__ == "__main__":
    main()
