"""The error for everything that a user can fix."""


class UserError(Exception):
    """What is wrong, the value, and what to change, on one line even if it quotes a library that uses several."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(line.strip() for line in message.splitlines()))
