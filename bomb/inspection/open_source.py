"""Which kind of dataset a folder holds."""

from pathlib import Path

from bomb.demonstrations.dataset import SETTINGS_FILE
from bomb.disk.files import FileError, read_json
from bomb.exports.folder import MARKER
from bomb.inspection.demonstrations_source import Demonstrations
from bomb.inspection.lerobot_source import LeRobot
from bomb.inspection.sources import Source


def open_source(path: Path) -> Source:
    """The dataset in a folder.

    Raises:
        FileError: if there is none that is known.
    """
    path = Path(path)
    if (path / SETTINGS_FILE).exists():
        return Demonstrations(path)
    if (path / "meta" / "info.json").exists():
        return LeRobot(path)
    if (path / MARKER).exists():
        about = read_json(path / MARKER)
        if about.get("shards"):
            raise FileError(
                f"{path} is an export of format {about['about']['settings']['format']!r}, which has no page; "
                "inspect the demonstrations that it was made of, or export them as lerobot"
            )
        raise FileError(
            f"{path} is an unfinished export, without a finished shard yet: the same `bomb export` resumes it"
        )
    raise FileError(
        f"{path} holds no dataset: neither {SETTINGS_FILE} of `bomb collect` nor meta/info.json of LeRobot"
    )
