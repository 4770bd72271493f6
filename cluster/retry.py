"""Retries for an unreachable remote, with exponential backoff."""

import time
from collections.abc import Callable, Sequence
from secrets import SystemRandom
from typing import TypeVar

from lottery.errors import UserError

R = TypeVar("R")
ATTEMPTS = 7


def backoff() -> list[float]:
    """Seconds between attempts: 1, 2, 4, ..., each up to half longer, so that workers do not retry in step."""
    return [2**attempt * SystemRandom().uniform(1, 1.5) for attempt in range(ATTEMPTS - 1)]


def retry(
    action: Callable[[], R],
    name: str,
    say: Callable[[str], None],
    waits: Sequence[float] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> R:
    """Result of `action`, called again after each of `waits` while it fails.

    Raises UserError after the last attempt, and at once if `action` raises it.
    """
    waits = backoff() if waits is None else waits
    for wait in (*waits, None):
        try:
            return action()
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001  each file system raises errors of its own library
            message = " ".join(str(error).split()) or type(error).__name__
        if wait is not None:
            say(f"{name}: {message}; trying again in {wait:.1f} s")
            sleep(wait)
    attempts = f"{len(waits) + 1} attempts in {sum(waits):.0f} s"
    raise UserError(f"{name} failed, {attempts}: {message}; is the DVC remote reachable?")
