"""Physically small encoders in transformers: importing this module registers their model type.

After `import lottery.export.registration`, `AutoConfig` and `AutoModelForSequenceClassification` read the folders of
encoders that lack heads or MLPs, which have no form among transformers' own classes.
"""

from typing import cast

import msgspec
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForSequenceClassification, BertConfig, PreTrainedModel
from transformers.conversion_mapping import register_checkpoint_conversion_mapping
from transformers.core_model_loading import WeightRenaming
from transformers.modeling_outputs import SequenceClassifierOutput

from lottery.checkpoint.config import PRUNED, Config
from lottery.checkpoint.layout import NAMES
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder


class PrunedBertConfig(BertConfig):  # type: ignore[no-untyped-call]
    """BERT's configuration with the heads of each layer and the layers with an MLP that are left; None means all."""

    model_type = PRUNED
    kept_heads: list[list[int]] | None = None
    kept_mlps: list[int] | None = None


class PrunedBertForSequenceClassification(PreTrainedModel):  # type: ignore[no-untyped-call]
    """This project's encoder behind the interface of transformers' classifiers."""

    config_class = PrunedBertConfig
    base_model_prefix = ""

    def __init__(self, config: PrunedBertConfig) -> None:
        super().__init__(config)
        shape = msgspec.convert(config.to_dict(), Config)
        self.bert = Encoder(shape, cast(int, config.num_labels))
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **_: object,
    ) -> SequenceClassifierOutput:
        """Logits, and the loss if there are labels. Raises ValueError unless sentences are padded on the right."""
        batch = packed(input_ids, attention_mask, token_type_ids)
        logits = self.bert(batch)
        loss = None
        if labels is not None:
            loss = self.loss_function(labels=labels, pooled_logits=logits, config=self.config)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def packed(ids_BS: Tensor, mask_BS: Tensor | None, types_BS: Tensor | None) -> PackedBatch:
    """A padded batch of transformers as a packed one. Raises ValueError unless it is padded on the right."""
    real_BS = torch.ones_like(ids_BS, dtype=torch.bool) if mask_BS is None else mask_BS.bool()
    if not real_BS[:, 0].all() or (real_BS[:, 1:] & ~real_BS[:, :-1]).any():
        raise ValueError("every sentence needs a token, and padding on its right")
    types_BS = torch.zeros_like(ids_BS) if types_BS is None else types_BS
    ids_T, types_T, lengths_B = (
        numbers.cpu().numpy() for numbers in (ids_BS[real_BS], types_BS[real_BS], real_BS.sum(1))
    )
    return PackedBatch.pack(ids_T, types_T, lengths_B, ids_BS.device)


AutoConfig.register(PRUNED, PrunedBertConfig)
AutoModelForSequenceClassification.register(PrunedBertConfig, PrunedBertForSequenceClassification)
register_checkpoint_conversion_mapping(
    PrunedBertForSequenceClassification.__name__,
    [
        WeightRenaming(r"^classifier\.", "bert.classifier."),
        *(WeightRenaming(theirs, own) for own, theirs in NAMES),
    ],
)
