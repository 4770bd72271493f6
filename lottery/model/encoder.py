"""Encoder whose heads and MLPs have gates and can be removed.

Its `Config` says which parts it has: families of encoders differ in embeddings, positions and head.

Legend for tensor suffixes: B examples of a batch, T its tokens, Q the tokens a layer computes (T, or B in the last
layer), D hidden size, H heads a layer holds, L layers, C classes.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lottery.checkpoint.config import Config
from lottery.model.attention import Attention
from lottery.model.batch import PackedBatch
from lottery.model.dropout import Dropout
from lottery.model.embeddings import Embeddings
from lottery.model.mlp import MLP
from lottery.model.position_bias import PositionBias
from lottery.model.slices import keep_heads, keep_neurons
from lottery.model.uninitialised import Linear
from lottery.subnetwork import Subnetwork

CLASSIFIER_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": F.relu,
    "gelu": F.gelu,
}
"""Nonlinearities of classification heads."""


class Gates(NamedTuple):
    """Multipliers of the outputs of all heads, MLPs and neurons, shared by a batch or one set per example.

    heads: xi of the paper, [L, heads] or [B, L, heads]; mlps: nu, [L] or [B, L]; neurons: [L, width] or [B, L, width],
    None if all are 1. Entries of what was removed are ignored.
    """

    heads: Tensor
    mlps: Tensor
    neurons: Tensor | None = None

    def of_layer(self, index: int, layer: "Layer", example_Q: Tensor) -> "LayerGates":
        """The gates of one layer."""
        xi, nu = (
            self.heads[..., index, list(layer.attention.heads)].unsqueeze(-1),
            self.mlps[..., index],
        )
        neurons = None
        if self.neurons is not None and layer.mlp is not None:
            neurons = self.neurons[..., index, list(layer.mlp.neurons)]
        if nu.dim() == 0:
            return LayerGates(xi, nu, neurons)
        xi, nu = xi.index_select(0, example_Q), nu.index_select(0, example_Q).unsqueeze(-1)
        return LayerGates(
            xi, nu, neurons if neurons is None else neurons.index_select(0, example_Q)
        )


class LayerGates(NamedTuple):
    """Gates of one layer: xi [H, 1], nu [] and neurons [F] if shared, else for each token [Q, H, 1], [Q, 1], [Q, F]."""

    xi: Tensor | None = None
    nu: Tensor | None = None
    neurons: Tensor | None = None


OPEN = LayerGates()
"""No gate at all."""


class Layer(nn.Module):
    """Transformer layer: gated attention and gated MLP, each with residual connection and layer norm."""

    def __init__(
        self, config: Config, heads: tuple[int, ...], neurons: tuple[int, ...] | None
    ) -> None:
        super().__init__()
        self.attention = Attention(config, heads)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        drops = config.family.drops_attention
        self.attention_dropout = Dropout(config.hidden_dropout_prob if drops else 0.0)
        self.mlp = None if neurons is None else MLP(config, neurons)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        x_TD: Tensor,
        batch: PackedBatch,
        cls_only: bool,
        gates: LayerGates = OPEN,
    ) -> Tensor:
        """Hidden states [Q, D] after this layer: of every token, or of [CLS] only."""
        x_QD = x_TD[batch.cls_B] if cls_only else x_TD
        attention_QD = self.attention(x_TD, x_QD, batch, gates.xi, cls_only)
        x_QD = self.attention_norm(x_QD + self.attention_dropout(attention_QD))
        if self.mlp is not None:
            mlp_QD = self.dropout(self.mlp(x_QD, gates.neurons))
            x_QD = x_QD + (mlp_QD if gates.nu is None else gates.nu * mlp_QD)
        return cast(Tensor, self.mlp_norm(x_QD))


class Encoder(nn.Module):
    """Encoder with a classifier on the first token, here [CLS] in any family, and a gate on every head and MLP."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        all_heads = tuple(range(config.num_attention_heads))
        kept_heads = config.kept_heads or (all_heads,) * config.num_hidden_layers
        kept_mlps = config.survivors["mlps"]
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(
            Layer(config, heads, config.neurons(index) if with_mlp else None)
            for index, (heads, with_mlp) in enumerate(zip(kept_heads, kept_mlps, strict=True))
        )
        buckets, heads = config.relative_attention_num_buckets, config.num_attention_heads
        self.position_bias = PositionBias(buckets, heads) if buckets else None
        self.pooler = Linear(config.hidden_size, config.hidden_size)
        self.dropout = Dropout(config.classification_dropout)
        self.classifier = Linear(config.hidden_size, classes)

    @classmethod
    def of(cls, config: Config, classes: int, tensors: Mapping[str, Tensor]) -> "Encoder":
        """The encoder that consists of these tensors, which it shares; those of other names are left out."""
        with torch.device("meta"):
            encoder = cls(config, classes)
        encoder.load_state_dict({name: tensors[name] for name in encoder.state_dict()}, assign=True)
        return encoder

    @property
    def typed_layers(self) -> list[Layer]:
        """The layers from bottom to top, for type checkers, to which a ModuleList holds any module."""
        return [cast(Layer, layer) for layer in self.layers]

    @property
    def device(self) -> torch.device:
        return self.classifier.weight.device

    def forward(self, batch: PackedBatch, gates: Gates | None = None) -> Tensor:
        """Logits [B, C]; the outputs of heads and MLPs are multiplied by `gates`, if given."""
        batch = self.placed(batch)
        x: Tensor = self.embeddings(batch)
        last = len(self.layers) - 1
        for index, layer in enumerate(self.typed_layers):
            # The classifier reads [CLS] only, so the last layer computes nothing else: the other tokens
            # still serve as keys and values there, but need no query, output projection or MLP.
            cls_only = index == last
            of_layer = OPEN
            if gates is not None:
                example_Q = batch.example_T[batch.cls_B] if cls_only else batch.example_T
                of_layer = gates.of_layer(index, layer, example_Q)
            x = layer(x, batch, cls_only, of_layer)
        return self._head(x)

    def placed(self, batch: PackedBatch) -> PackedBatch:
        """The batch with the bias for relative positions, if the encoder has one."""
        if self.position_bias is None:
            return batch
        mask, bias_1HSS = batch.attention_mask_B11S, self.position_bias.of_length(batch.longest)
        bias_BHSS = bias_1HSS if mask is None else torch.where(mask, bias_1HSS, -torch.inf)
        return batch._replace(bias_BHSS=bias_BHSS)

    def _head(self, x_BD: Tensor) -> Tensor:
        head = self.config.family.head
        x_BD = self.dropout(x_BD) if head.drops_input else x_BD
        x_BD = CLASSIFIER_ACTIVATIONS[head.activation](self.pooler(x_BD))
        return cast(Tensor, self.classifier(self.dropout(x_BD)))

    def prunable(self, biases: bool = False) -> dict[str, nn.Parameter]:
        """Weights that m-pruning may set to 0: every matrix of attention and MLP, layer by layer.

        `biases` adds the biases of all but the MLP's second projection, as the authors' code does.
        """
        return {
            name: parameter
            for name, parameter in self.named_parameters()
            if name.startswith("layers.") and "norm" not in name
            if name.endswith(".weight") or (biases and not name.endswith(".contract.bias"))
        }

    def extract(self, subnetwork: Subnetwork) -> "Encoder":
        """A smaller encoder with the units of `subnetwork` only, equal to gating the others to 0.

        Unsliced tensors are shared with this encoder; train at most one of the two. Raises ValueError if
        `subnetwork` keeps heads, MLPs or neurons that this encoder no longer has.
        """
        if not self.config.has(subnetwork):
            raise ValueError("the subnetwork keeps heads or MLPs that this encoder no longer has")
        # Sharing all that stays whole makes extraction a matter of milliseconds and needs no second encoder's memory.
        state = self.state_dict()
        for index, layer in enumerate(self.typed_layers):
            kept_H = torch.from_numpy(subnetwork["heads"][index].take(layer.attention.heads))
            if not kept_H.all():
                rows = kept_H.to(self.device).repeat_interleave(self.config.head_size)
                keep_heads(state, f"layers.{index}.attention", rows)
            if layer.mlp is not None and "neurons" in subnetwork:
                kept_F = torch.from_numpy(subnetwork["neurons"][index].take(layer.mlp.neurons))
                if not kept_F.all():
                    keep_neurons(state, f"layers.{index}.mlp", kept_F.to(self.device))
        config = self.config.keeping(subnetwork)
        return Encoder.of(config, self.classes, state).train(self.training)

    def pruned(self, subnetwork: Subnetwork) -> "Encoder":
        """The pruned encoder: `extract` for heads and MLPs, masked copies of weights; other tensors are shared."""
        if subnetwork.is_structured:
            return self.extract(subnetwork)
        weights = self.named_parameters()
        shared = {id(weight): weight for name, weight in weights if name not in subnetwork}
        copy = deepcopy(self, memo=shared)
        copy.mask(subnetwork)
        return copy

    def mask(self, subnetwork: Subnetwork) -> None:
        """Set the weights that `subnetwork` prunes to 0, in place; its parts are names of `prunable`."""
        weights = dict(self.named_parameters())
        with torch.no_grad():
            for name, kept in subnetwork.items():
                weights[name].mul_(torch.tensor(kept, device=self.device))
