"""Options of commands that read a finished run.

Their defaults name the outputs of dvc.yaml, so that nobody has to type them.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

Data = Annotated[Path, Option(help="Encoded examples, <task>/<seed>/.")]
Encoder = Annotated[Path, Option(help="Pre-trained encoder.")]
Models = Annotated[Path, Option(help="Fine-tuned encoders, <task>/<seed>/.")]
Subnetworks = Annotated[Path, Option(help="Masks of the tickets, <task>/<seed>/.")]
Scores = Annotated[Path, Option(help="Score tables, <task>/<seed>/.")]
Predictions = Annotated[Path, Option(help="Prediction tables, <task>/<seed>/.")]
Kept = Annotated[
    Path, Option("--tickets", help="Retrained tickets that are kept, <task>/<seed>/<share>/.")
]
