"""Knobs by name: BOMB's own as they stand, other people's as they are asked for."""

from collections.abc import Iterator, Mapping, Sequence

from core.errors import RegistrationError
from core.perturbations.base import SEVERITIES, Perturbation
from core.registry import Registry


class Knobs(Mapping[str, Perturbation]):
    """Every registered knob, in the order in which they are applied.

    A plugin is imported when it is asked for by name, and when all knobs are gone through. One that cannot be
    used raises ``RegistrationError`` when it is asked for, and is left out otherwise; see ``problems``.

    Args:
        ours: BOMB's own, in order.
        registry: names of all.
    """

    def __init__(self, ours: Sequence[Perturbation], registry: Registry):
        self._registry = registry
        self._ours = {knob.name: knob for knob in ours}
        self._places = {knob.name: k for k, knob in enumerate(ours)}
        self._made: dict[tuple[str, str], Perturbation] = {}  # other people's, by name and target

    def __getitem__(self, name: str) -> Perturbation:
        if name in self._ours:
            return self._ours[name]
        if name not in self:
            raise KeyError(name)
        key = name, self._registry.target(name)
        if key not in self._made:
            self._made[key] = self._checked(name)
        return self._made[key]

    def __contains__(self, name: object) -> bool:
        return name in self._ours or name in self._registry.names() or name in self._registry.problems()

    def __iter__(self) -> Iterator[str]:
        broken = self.problems()
        return iter(sorted((name for name in self._registry.names() if name not in broken), key=self.place))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def place(self, name: str) -> tuple[int, str]:
        """Where a knob stands in the order of application; two at one place go by their names.

        Raises:
            RegistrationError: if the plugin cannot be used.
        """
        if name in self._places:
            return self._places[name], ""
        knob = self[name]
        if knob.after:
            return self._places[knob.after], name
        same = [k for k, other in enumerate(self._ours.values()) if other.family == knob.family]
        alike = [k for k, other in enumerate(self._ours.values()) if other.touches is knob.touches]
        return max(same or alike), name

    def problems(self) -> dict[str, RegistrationError]:
        """Knobs that cannot be used, by the name that they ask for."""
        broken = self._registry.problems()
        for name in self._registry.names():
            try:
                self[name]
            except RegistrationError as error:
                broken[name] = error
        return broken

    def _checked(self, name: str) -> Perturbation:
        kind = self._registry.load(name)
        what = f"perturbation {name!r} ({self._registry.target(name)})"
        if not (isinstance(kind, type) and issubclass(kind, Perturbation)):
            raise RegistrationError(f"{what} is not a subclass of core.Perturbation")
        try:
            knob = kind()
        except TypeError as error:
            raise RegistrationError(f"{what} must be made without arguments: {error}") from error
        for attribute in ("name", "family", "touches"):
            if not hasattr(knob, attribute):
                raise RegistrationError(f"{what} declares no {attribute}")
        if knob.name != name:
            raise RegistrationError(f"{what} calls itself {knob.name!r}")
        if bool(knob.sets) == (len(knob.levels) == len(SEVERITIES) - 1):
            raise RegistrationError(
                f"{what} must say what severities 1 to {SEVERITIES[-1]} mean in levels, or have sets; "
                f"it has levels {knob.levels!r} and sets {knob.sets!r}"
            )
        if knob.after and knob.after not in self._places:
            raise RegistrationError(
                f"{what} is to be applied after {knob.after!r}, which is none of BOMB's own; "
                f"valid: {', '.join(self._places)}"
            )
        return knob
