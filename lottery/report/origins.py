"""Origin, licence and notes of data and encoders, in a sentence."""

from collections.abc import Mapping
from typing import Any


def described(title: str, origin: Mapping[str, Any]) -> str:
    """The origin of what has this title, as `lottery.data.summary` describes it."""
    archives = [archive for part in origin["parts"] for archive in part]
    licences = dict.fromkeys(archive["licence"] for archive in archives if "licence" in archive)
    licence = f"; licence: {'; '.join(licences)}" if licences else ""
    return f"**{title}** ({origin['name']}{licence}). {' '.join(origin['notes'])}".rstrip()
