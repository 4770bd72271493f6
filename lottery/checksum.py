"""SHA-256 of files, as `sha256sum` prints it."""

import hashlib
from pathlib import Path


def of_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
