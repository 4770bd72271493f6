"""Coverage-guided fuzzing of the readers of foreign files: whatever the bytes are, only a UserError may escape.

python -m tests.fuzz.harness parameters build/fuzz/corpus/parameters -max_total_time=60
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lottery"]):
    from lottery.errors import UserError
    from tests.fuzz.readers import READERS, seeds


def main(name: str, corpus: str, *options: str) -> None:
    """Feed a reader with what libFuzzer makes of a sound file and of its earlier finds in `corpus`."""
    with tempfile.TemporaryDirectory() as scratch:
        sound, reader = Path(corpus, "sound"), READERS[name]
        sound.parent.mkdir(parents=True, exist_ok=True)
        sound.write_bytes(seeds(Path(scratch))[name])
        folder = Path(scratch, name)
        folder.mkdir()

        def attempt(content: bytes) -> None:
            try:
                reader(folder, content)
            except UserError as fault:
                if "\n" in str(fault):
                    raise ValueError(f"more than one line: {fault}") from fault

        atheris.Setup([name, corpus, *options], attempt)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
