"""Coverage-guided fuzzing of the readers of foreign files: no bytes may raise anything but a UserError.

python -m tests.fuzz.harness parameters build/fuzz/corpus/parameters -max_total_time=60
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cluster", "lottery"]):
    from lottery.errors import UserError
    from tests.fuzz.readers import READERS
    from tests.fuzz.valid import valid_files


def main(name: str, corpus: str, *options: str) -> None:
    """Feed a reader with mutations of a valid file and of the inputs that libFuzzer keeps in `corpus`."""
    with tempfile.TemporaryDirectory() as scratch:
        valid, reader = Path(corpus, "valid"), READERS[name]
        valid.parent.mkdir(parents=True, exist_ok=True)
        valid.write_bytes(valid_files(Path(scratch))[name])
        folder = Path(scratch, name)
        folder.mkdir()

        def attempt(content: bytes) -> None:
            try:
                reader(folder, content)
            except UserError as error:
                if "\n" in str(error):
                    raise ValueError(f"more than one line: {error}") from error

        atheris.Setup([name, corpus, *options], attempt)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
