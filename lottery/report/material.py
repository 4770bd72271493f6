"""Inputs of a report: tables, descriptions of the data, parameters, provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lottery.data.parameters import EncoderParameters
from lottery.grid import GridParameters
from lottery.params import Sections
from lottery.report.origins import language
from lottery.report.provenance import Provenance


@dataclass(frozen=True)
class Material:
    """Tables by name, descriptions of the data by task, parameters, the folder of the figures, and the provenance.

    speed: what `lottery measure` measured of this run or another one; None if nothing was.
    """

    tables: Mapping[str, pd.DataFrame]
    meta: Mapping[str, Mapping[str, Any]]
    parameters: Sections
    figures: str
    provenance: Provenance
    speed: pd.DataFrame | None = None

    def figure(self, name: str) -> str:
        """The path of a figure, as seen from the report."""
        return f"{self.figures}/{name}.png"

    @property
    def tasks(self) -> pd.DataFrame:
        """One row per task, in the order of the grid."""
        return self.tables["tasks"]

    @property
    def titles(self) -> dict[str, str]:
        """The title of each task."""
        return dict(zip(self.tasks["task"], self.tasks["title"], strict=True))

    @property
    def seeds(self) -> Sequence[int]:
        return self.parameters[GridParameters].seeds

    @property
    def encoder(self) -> str:
        return self.parameters[EncoderParameters].checkpoint

    @property
    def languages(self) -> dict[str, str]:
        """The language of each task, or "not stated"."""
        return {task: language(self.meta[task]["data"]) for task in self.titles}

    @property
    def frame(self) -> tuple[str, str]:
        """The tokens that begin and end a text, such as [CLS] and [SEP]."""
        tokenizer = next(iter(self.meta.values()))["tokenizer"]
        return tokenizer["first"], tokenizer["last"]

    @property
    def shape(self) -> tuple[int, int]:
        """Layers and heads of the encoder."""
        components = self.tables["survival"]
        return int(components["layer"].max()) + 1, int(components["index"].max()) + 1
