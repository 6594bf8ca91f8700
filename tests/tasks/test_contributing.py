"""The game with a capture that CONTRIBUTING shows is whole: it runs as it stands there."""

import re
from pathlib import Path

from core.testing import check_task

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


def test_the_game_of_the_page_keeps_the_contract():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    page: dict = {"__name__": "page"}
    exec(code, page)
    check_task(page["Sandwich"](), backends=["mujoco"], seeds=range(8), played=range(1))
