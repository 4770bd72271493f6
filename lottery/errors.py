"""The error for everything that a user can fix, and what a damaged file raises."""

import difflib
from collections.abc import Iterable

MALFORMED = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
)
"""What a parser, or a look at the fields that it returns, raises for a damaged file, besides its library's errors."""


class UserError(Exception):
    """An error that the user can fix: the fault, the value and the remedy, on one line even if it quotes several."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(line.strip() for line in message.splitlines()))


def first_line(error: Exception) -> str:
    """The first line of an error's text, for a message of one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].removeprefix("Got: ")


def suggestion(name: object, names: Iterable[str]) -> str:
    """The end of a message about an unknown name: the most similar one of `names`, or all of them."""
    candidates = list(names)
    similar = difflib.get_close_matches(str(name)[:80].lower(), candidates, n=1)
    return f"; did you mean `{similar[0]}`?" if similar else f"; known: {', '.join(candidates)}"
