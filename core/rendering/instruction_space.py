"""The space of the instruction, and how gymnasium's shared memory carries it.

``gymnasium.vector.AsyncVectorEnv`` reads its shared memory once, when it is made, and expects arrays that
show what is written later. For text it gets a tuple of that moment: blanks, for ever. The space below is a
``gymnasium.spaces.Text`` whose values in shared memory are read when somebody looks at them.
"""

from collections.abc import Sequence
from typing import Any, overload

from gymnasium import spaces
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory

from core.task import MAX_INSTRUCTION, PRINTABLE_ASCII


class InstructionSpace(spaces.Text):
    """Printable ASCII of 1 to 256 characters."""

    def __init__(self) -> None:
        super().__init__(MAX_INSTRUCTION, min_length=1, charset=PRINTABLE_ASCII)


class SharedTexts(Sequence[str]):
    """The instructions of ``n`` environments, as they are now; a deep copy is a plain tuple."""

    def __init__(self, memory: Any, n: int):
        self._memory, self._n = memory, n

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, k: int) -> str: ...
    @overload
    def __getitem__(self, k: slice) -> tuple[str, ...]: ...
    def __getitem__(self, k: int | slice) -> str | tuple[str, ...]:
        if isinstance(k, slice):
            return tuple(self[j] for j in range(*k.indices(self._n)))
        if not -self._n <= k < self._n:
            raise IndexError(k)
        begin = (k % self._n) * MAX_INSTRUCTION
        raw: bytes = self._memory[begin : begin + MAX_INSTRUCTION]
        return raw.split(b"\0", 1)[0].decode("ascii")

    def __deepcopy__(self, memo: dict[str, Any]) -> tuple[str, ...]:
        return tuple(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # it changes with every step: no key

    def __repr__(self) -> str:
        return repr(tuple(self))


@create_shared_memory.register(InstructionSpace)
def _create(space: InstructionSpace, n: int = 1, ctx: Any = None) -> Any:
    import multiprocessing

    return (ctx or multiprocessing).Array("c", n * MAX_INSTRUCTION)


@read_from_shared_memory.register(InstructionSpace)
def _read(space: InstructionSpace, shared_memory: Any, n: int = 1) -> SharedTexts:
    return SharedTexts(shared_memory, n)


@write_to_shared_memory.register(InstructionSpace)
def _write(space: InstructionSpace, index: int, value: str, shared_memory: Any) -> None:
    begin = index * MAX_INSTRUCTION
    shared_memory[begin : begin + MAX_INSTRUCTION] = value.encode("ascii").ljust(MAX_INSTRUCTION, b"\0")
