"""``bomb knobs``."""

import argparse
from typing import Any

from bomb.cli.tasks import first_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints every perturbation by family with what its levels mean, and the presets; names broken plugins.

    Returns:
        1 if a plugin is broken, else 0.
    """
    from core.perturbations import KNOBS
    from core.perturbations.presets import FIXED, PRESET_WORDS, PRESETS, preset

    families: dict[str, list[Any]] = {}
    for knob in KNOBS.values():
        families.setdefault(knob.family, []).append(knob)
    for family, knobs in families.items():
        print(f"{family}")
        for knob in knobs:
            print(f"  {knob.name + ('[@camera]' if knob.per_camera else ''):26} {first_line(knob)}")
            if knob.sets:
                for name, words in knob.sets.items():
                    print(f"    {name:24} {words}")
            else:
                print(f"    {'0 to 5':24} {' | '.join(('clean', *knob.levels))}  ({knob.unit})")
    print("presets (name, or name:severity; knob:severity is one too)")
    for name in PRESETS:
        fixed = f", severity {FIXED[name]}" if name in FIXED else ""
        print(f"  {name:26} {PRESET_WORDS[name]}{fixed}")
        if PRESETS[name]:
            print(f"    {', '.join(preset(name))}")
    broken = KNOBS.problems()
    for name, error in sorted(broken.items()):
        print(f"{name:28} cannot be used: {error}")
    return 1 if broken else 0
