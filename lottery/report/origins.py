"""Origin, licence and notes of data and encoders, in a sentence; the language of data."""

from collections.abc import Mapping
from typing import Any

ENGLISH = "English"
"""The language of the tasks of the project."""


def described(title: str, origin: Mapping[str, Any]) -> str:
    """The origin of what has this title, as `lottery.data.summary` describes it."""
    archives = [archive for part in origin["parts"] for archive in part]
    licences = dict.fromkeys(archive["licence"] for archive in archives if "licence" in archive)
    licence = f"; licence: {'; '.join(licences)}" if licences else ""
    return f"**{title}** ({origin['name']}{licence}). {' '.join(origin['notes'])}".rstrip()


def language(origin: Mapping[str, Any] | None) -> str:
    """The language of a task's data, which own data state, or "not stated"."""
    return str((origin or {}).get("language", ENGLISH))
