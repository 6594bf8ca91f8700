"""Renders docs/pictures/ anew: ``make docs-pictures``. Needs both renderers."""

from functools import partial
from pathlib import Path

from bomb.demo import DemoSettings, every_camera
from bomb.filming import contact_sheet, film, side_by_side
from bomb.pictures import write_png
from bomb.rollout import make_policy, play
from core.registry import BACKENDS

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
SEED = 1
SIZE = (300, 400)


def _expert(env, watch):
    return play(env, make_policy("expert"), SEED, watch)


def main() -> None:
    """Writes every picture that the docs show."""
    backends = BACKENDS.names()
    shoot = partial(film, perform=_expert, image_size=SIZE, every=10**9, max_steps=300, stop_on_success=True)
    films = [shoot(backend) for backend in backends]
    write_png(PICTURES / "episode.png", contact_sheet(films))
    write_png(PICTURES / "start.png", next(iter(side_by_side(films))))
    settings = DemoSettings(out=PICTURES, seed=SEED, image_size=SIZE)
    write_png(PICTURES / "cameras.png", every_camera(settings, backends))
    for file in sorted(PICTURES.glob("*.png")):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
