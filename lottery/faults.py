"""The one kind of error a user is meant to read."""


class Fault(Exception):
    """Something the user can mend. The message is one line: what is wrong, and what to change."""
