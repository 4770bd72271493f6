"""The one kind of error a user is meant to read."""


class UserError(Exception):
    """What is wrong, with its value, and what to change: one line, whatever the libraries that are quoted say."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(line.strip() for line in message.splitlines()))
