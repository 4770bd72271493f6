"""Physically small encoders in transformers: importing this module registers their model type.

After `import lottery.export.registration`, `AutoConfig` and `AutoModelForSequenceClassification` read the folders of
encoders that lack heads or MLPs, which have no form among transformers' own classes.
"""

import re
from typing import cast

import torch
from torch import Tensor
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.conversion_mapping import register_checkpoint_conversion_mapping
from transformers.core_model_loading import WeightConverter, WeightRenaming
from transformers.modeling_outputs import SequenceClassifierOutput

from lottery.checkpoint.config import parse
from lottery.checkpoint.family import Family
from lottery.checkpoint.supported import FAMILIES
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder

KEPT = {
    "kept_heads": list[list[int]] | None,
    "kept_mlps": list[int] | None,
    "kept_neurons": list[list[int]] | None,
}
"""Keys of a pruned encoder: heads of each layer, layers with an MLP, neurons of each that are left; None means all."""


class PrunedForSequenceClassification(PreTrainedModel):  # type: ignore[no-untyped-call]
    """This project's encoder behind the interface of transformers' classifiers; a subclass for each family."""

    base_model_prefix = ""
    family: Family

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__(config)
        about = parse(config.to_dict(), self.family)
        # Called as transformers calls the encoder of this family, so that its tensors have their names there.
        self.add_module(
            self.family.prefix.removesuffix("."), Encoder(about, cast(int, config.num_labels))
        )
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
        batch = from_padded(input_ids, attention_mask, token_type_ids)
        logits = self.get_submodule(self.family.prefix.removesuffix("."))(batch)
        loss = None
        if labels is not None:
            loss = self.loss_function(labels=labels, pooled_logits=logits, config=self.config)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def from_padded(ids_BS: Tensor, mask_BS: Tensor | None, types_BS: Tensor | None) -> PackedBatch:
    """A padded batch of transformers as a packed one. Raises ValueError unless it is padded on the right."""
    real_BS = torch.ones_like(ids_BS, dtype=torch.bool) if mask_BS is None else mask_BS.bool()
    if not real_BS[:, 0].all() or (real_BS[:, 1:] & ~real_BS[:, :-1]).any():
        raise ValueError("every sentence needs a token, and padding on its right")
    types_BS = torch.zeros_like(ids_BS) if types_BS is None else types_BS
    ids_T, types_T, lengths_B = (
        numbers.cpu().numpy() for numbers in (ids_BS[real_BS], types_BS[real_BS], real_BS.sum(1))
    )
    return PackedBatch.pack(ids_T, types_T, lengths_B, ids_BS.device)


def _register(family: Family) -> None:
    """Make transformers know the pruned encoders of a family."""
    base = CONFIG_MAPPING[family.model_type]
    keys = {
        "model_type": family.pruned_type,
        "__annotations__": KEPT,
        **dict.fromkeys(KEPT),
    }
    config = type(f"Pruned{base.__name__}", (base,), keys)
    members = {"config_class": config, "family": family}
    name = f"Pruned{family.classes}ForSequenceClassification"
    model = type(name, (PrunedForSequenceClassification,), members)
    AutoConfig.register(family.pruned_type, config)
    AutoModelForSequenceClassification.register(config, model)
    head = [(theirs, family.prefix + ours) for ours, theirs in family.head.names]
    renamings: list[WeightRenaming | WeightConverter] = [
        *(WeightRenaming(f"^{re.escape(theirs)}", ours) for theirs, ours in head),
        *(WeightRenaming(theirs, ours) for ours, theirs in family.names),
    ]
    register_checkpoint_conversion_mapping(name, renamings)


for supported in FAMILIES.values():
    _register(supported)
