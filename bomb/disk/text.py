"""Text of others: of exceptions, servers, policies. It is kept and shown so that it can do no harm."""

from typing import Any, TextIO

LONGEST = 20_000  # characters of a message or a traceback that are kept
SHOWN = 2_000  # characters of one that are printed on a terminal


def printable(text: str) -> str:
    """Text that any file can hold: what cannot be encoded (lone surrogates) is escaped, like ``\\udcff``."""
    return text.encode("utf-8", "backslashreplace").decode()


def capped(text: str, most: int = LONGEST) -> str:
    """Text of at most ``most`` characters and a note: its beginning and its end, where it is longer."""
    if len(text) <= most:
        return text
    head = most * 2 // 3
    return (
        f"{text[:head]} [... {len(text) - most} characters omitted ...] {text[len(text) - (most - head) :]}"
    )


def kept(text: str) -> str:
    """A message or traceback as a file keeps it: of bounded length, in characters that can be encoded."""
    return printable(capped(str(text)))


def on_terminal(text: object, most: int = SHOWN) -> str:
    """Text that moves no cursor, changes no colour and rings no bell: control characters are escaped.

    Line breaks and tabs stay; direction overrides, which show text in another order, do not.
    """
    return capped(harmless(str(text)), most)


def harmless(text: str) -> str:
    """The same of any length."""
    return "".join(map(_harmless, text))


class HarmlessStream:
    """A text stream that lets nothing through but what ``on_terminal`` does, of any length.

    Names of policies, weights and tensors come out of files of others, and any verb may print them.

    Args:
        stream: what it stands before.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes text with its control characters escaped; the length that was asked for."""
        self._stream.write(harmless(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def one_line(text: object, most: int = 400) -> str:
    """The same in one line; of a server's traceback its beginning and its end."""
    return on_terminal(" ".join(str(text).split()), most)


def message_of(error: BaseException) -> str:
    """``str(error)``, whatever that does."""
    try:
        return str(error)
    except Exception as worse:
        return f"(its text cannot be read: {type(worse).__name__})"


def _harmless(character: str) -> str:
    if character.isprintable() or character in "\n\t ":
        return character
    return character.encode("unicode_escape").decode()
