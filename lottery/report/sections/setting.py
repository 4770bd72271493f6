"""The run in detail: sizes of splits, origin of data and encoder, all parameters."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lottery.analysis.frames import rows
from lottery.params import Sections
from lottery.report import numbers
from lottery.report.blocks import Bullets, Entry, Table
from lottery.report.material import Material
from lottery.report.origins import described
from lottery.wording import flat

Meta = Mapping[str, Mapping[str, Any]]
"""Descriptions of the data by task or by split, as `lottery.data.summary` writes them."""


def size(splits: Meta, split: str) -> Entry:
    """The number of examples of a split."""
    return numbers.number(splits.get(split, {}).get("examples") or None, 0)


def origins(material: Material) -> Iterator[Bullets]:
    """Origin, licence and notes of the encoder and of each task's data."""
    meta = material.meta
    encoder = next(iter(meta.values()))["encoder"] if meta else None
    titled = [
        ("Encoder", encoder),
        *((task.title, meta[task.task]["data"]) for task in rows(material.tasks)),
    ]
    yield Bullets([described(title, origin) for title, origin in titled if origin])


def parameters(sections: Sections) -> Table:
    """Every parameter with its value."""
    tree = {kind.section(): msgspec.to_builtins(section) for kind, section in sections.items()}
    body = [[f"`{key}`", value] for key, value in flat(tree)]
    return Table("All parameters. Source: `params.yaml`.", ["parameter", "value"], body)
