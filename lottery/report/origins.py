"""Origin, licence and notes of data and encoders, in a sentence; the language of data."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

ENGLISH = "English"
"""The language of the tasks of the project."""


def described(title: str, origin: Mapping[str, Any]) -> str:
    """The origin of what has this title, as `lottery.data.summary` describes it."""
    licences = "; ".join(_licences(origin["parts"]))
    licence = f"; licence: {licences}" if licences else ""
    return f"**{title}** ({origin['name']}{licence}). {' '.join(origin['notes'])}".rstrip()


def _licences(parts: Sequence[Sequence[Mapping[str, str]]]) -> Iterator[str]:
    """Each licence, with the packages and versions that it is of if packages carry the files."""
    packages = defaultdict[str, dict[str, None]](dict)
    for archive in chain.from_iterable(parts):
        if "licence" in archive:
            carrier = f"{archive['package']} {archive['version']}" if "version" in archive else ""
            packages[archive["licence"]][carrier] = None
    for licence, carriers in packages.items():
        names = ", ".join(filter(None, carriers))
        yield f"{licence} ({names})" if names else licence


def language(origin: Mapping[str, Any] | None) -> str:
    """The language of a task's data, which own data state, or "not stated"."""
    return str((origin or {}).get("language", ENGLISH))
