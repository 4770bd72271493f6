"""Embeddings of the tokens of a batch.

Suffixes: T tokens, D hidden size, B examples.
"""

from typing import cast

from torch import Tensor, nn

from lottery.checkpoint.config import Config
from lottery.model.batch import PackedBatch
from lottery.model.dropout import Dropout
from lottery.model.uninitialised import Embedding, Linear


class Embeddings(nn.Module):
    """Sum of word, position and segment embeddings, normalised; projected if they have a width of their own."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.first_position = config.first_position
        width = config.embedding_width
        self.words = Embedding(config.vocab_size, width)
        self.positions = Embedding(config.max_position_embeddings, width)
        self.types = Embedding(config.type_vocab_size, width) if config.type_vocab_size else None
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)
        has_own_width = width != config.hidden_size
        self.projection = Linear(width, config.hidden_size) if has_own_width else None

    def forward(self, batch: PackedBatch) -> Tensor:
        x_TD = self.words(batch.ids_T) + self.positions(self._positions_T(batch))
        if self.types is not None:
            x_TD = x_TD + self.types(batch.types_T)
        x_TD = self.dropout(self.norm(x_TD))
        return cast(Tensor, x_TD if self.projection is None else self.projection(x_TD))

    def _positions_T(self, batch: PackedBatch) -> Tensor:
        """Rows of the table of positions.

        Where they count from the padding token's id, a padding token that stands in a text has that row and is not
        counted, as in transformers.
        """
        if not self.first_position:
            return batch.positions_T
        is_padding_T = batch.ids_T == self.first_position - 1
        count_T = is_padding_T.long().cumsum(0)
        before_B = (count_T - is_padding_T.long())[batch.cls_B]
        rows_T = batch.positions_T + self.first_position - count_T + before_B[batch.example_T]
        # The few tokens after all sentences count as part of the first.
        return rows_T.masked_fill(is_padding_T, self.first_position - 1).clamp(min=0)
