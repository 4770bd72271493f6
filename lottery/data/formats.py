"""File formats of own data, by the ending of a name."""

from pathlib import Path

from lottery.errors import UserError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
BUILDERS = {".jsonl": "json", ".ndjson": "json", ".parquet": "parquet", ".arrow": "arrow"}
FORMATS = (
    "CSV (.csv), TSV (.tsv), JSON lines (.jsonl), Parquet (.parquet), Arrow (.arrow), or a folder"
)


def require_table(path: Path) -> None:
    """Raise UserError unless `path` is a folder or a file whose name says how to read it."""
    if not path.exists():
        raise UserError(f"{path}: no such file")
    if not path.is_dir() and path.suffix.lower() not in {*DELIMITERS, *BUILDERS}:
        raise UserError(
            f"{path}: {path.suffix or 'a name without ending'} is not read; expected {FORMATS}"
        )
