"""Parameters of the pre-trained encoder."""

from typing import Annotated

from msgspec import Meta

from lottery.params import Parameters


class EncoderParameters(Parameters, frozen=True):
    """The pre-trained encoder.

    checkpoint: a packaged name, a folder, or a hub id (bert-base-uncased).
    """

    checkpoint: Annotated[str, Meta(min_length=1)]
