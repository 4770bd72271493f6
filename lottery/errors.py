"""The error for everything that a user can fix, and what a damaged file raises."""

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
