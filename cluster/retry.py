"""Storage that is away for a while: wait, twice as long each time, then say what is wrong."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from lottery.errors import UserError

R = TypeVar("R")
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def retry(
    action: Callable[[], R],
    what: str,
    say: Callable[[str], None],
    waits: Sequence[float] = WAITS,
    sleep: Callable[[float], None] = time.sleep,
) -> R:
    """Call `action`, again after each of `waits` seconds while it fails; a UserError of its own passes at once."""
    failed = ""
    for wait in (*waits, None):
        try:
            return action()
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001  every file system raises the errors of its own library
            failed = " ".join(str(error).split()) or type(error).__name__
        if wait is not None:
            say(f"{what}: {failed}; again in {wait:g} s")
            sleep(wait)
    tried = f"{len(waits) + 1} tries in {sum(waits):g} s"
    raise UserError(f"{what} failed, {tried}: {failed}; is the DVC remote reachable?")
