"""The gated BERT encoder: what can be switched off, measured at the switch, and cut out for good.

Sentences travel packed: token-wise work sees real tokens only, attention sees the padded view. The last
layer computes the [CLS] rows alone, the only ones the classifier reads.

Legend for tensor suffixes: B examples of a batch, S its longest sentence, T its real tokens, Q the rows a
layer is asked for (T, or B in the last layer), D hidden size, H heads a layer holds, K head size,
F MLP width, L layers, C classes.
"""

from copy import deepcopy
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lottery.model.batch import PackedBatch
from lottery.model.config import Config
from lottery.subnetwork import Subnetwork


class Linear(nn.Linear):
    """A projection without initial values: every tensor of an encoder comes from a checkpoint."""

    def reset_parameters(self) -> None:
        pass


class Gates(NamedTuple):
    """Multipliers of every head and MLP: for the whole batch, or one of their own per example.

    heads: [L, heads] or [B, L, heads], xi of the paper; mlps: [L] or [B, L], nu. Heads and MLPs that were
    cut out have entries too, which nothing reads.
    """

    heads: Tensor
    mlps: Tensor

    def at(self, layer: int, heads: tuple[int, ...], example_Q: Tensor) -> tuple[Tensor, Tensor]:
        """The gates of one layer: [H, 1] and [], or one per asked row: [Q, H, 1] and [Q, 1]."""
        xi, nu = self.heads[..., layer, list(heads)].unsqueeze(-1), self.mlps[..., layer]
        if nu.dim() == 0:
            return xi, nu
        return xi.index_select(0, example_Q), nu.index_select(0, example_Q).unsqueeze(-1)


class Attention(nn.Module):
    """Multi-head self-attention over the heads that are left; with none left, the output bias alone."""

    def __init__(self, config: Config, heads: tuple[int, ...]) -> None:
        super().__init__()
        self.heads, self.head_size = heads, config.head_size
        inner = len(heads) * config.head_size
        self.query = Linear(config.hidden_size, inner)
        self.key = Linear(config.hidden_size, inner)
        self.value = Linear(config.hidden_size, inner)
        self.output = Linear(inner, config.hidden_size)
        self.dropout = config.attention_probs_dropout_prob

    def forward(
        self, x_TD: Tensor, asked_QD: Tensor, tokens: PackedBatch, xi: Tensor | None
    ) -> Tensor:
        if not self.heads:
            return self.output.bias.expand_as(asked_QD)
        first_only = asked_QD is not x_TD
        split = (-1, len(self.heads), self.head_size)
        query_QHK = self.query(asked_QD).view(split)
        context = F.scaled_dot_product_attention(
            query_QHK.unsqueeze(2) if first_only else tokens.grid_BHSK(query_QHK),
            tokens.grid_BHSK(self.key(x_TD).view(split)),
            tokens.grid_BHSK(self.value(x_TD).view(split)),
            attn_mask=tokens.attendable_B11S,
            dropout_p=self.dropout if self.training else 0.0,
        )
        context_QHK = context.squeeze(2) if first_only else tokens.packed_THK(context)
        if xi is not None:
            context_QHK = context_QHK * xi
        return cast(Tensor, self.output(context_QHK.flatten(1)))


class MLP(nn.Module):
    """Two projections with a GELU between them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.expand = Linear(config.hidden_size, config.intermediate_size)
        self.contract = Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x_QD: Tensor) -> Tensor:
        return cast(Tensor, self.contract(F.gelu(self.expand(x_QD))))


class Layer(nn.Module):
    """Attention and MLP, each behind its gate, each added to the residual and normalised."""

    def __init__(self, config: Config, heads: tuple[int, ...], with_mlp: bool) -> None:
        super().__init__()
        self.attention = Attention(config, heads)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = MLP(config) if with_mlp else None
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        x_TD: Tensor,
        tokens: PackedBatch,
        gates: tuple[Tensor, Tensor] | None,
        first_only: bool,
    ) -> Tensor:
        """The layer's output [Q, D]: of every token, or of each sentence's first alone."""
        xi, nu = gates or (None, None)
        asked_QD = x_TD[tokens.first_B] if first_only else x_TD
        attended_QD = self.attention(x_TD, asked_QD, tokens, xi)
        x_QD: Tensor = self.attention_norm(asked_QD + self.dropout(attended_QD))
        if self.mlp is not None:
            thought_QD = self.dropout(self.mlp(x_QD))
            x_QD = x_QD + (thought_QD if nu is None else nu * thought_QD)
        return cast(Tensor, self.mlp_norm(x_QD))


class Embeddings(nn.Module):
    """Words, positions and sentence types, summed and normalised."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.words = _table(config.vocab_size, config.hidden_size)
        self.positions = _table(config.max_position_embeddings, config.hidden_size)
        self.types = _table(config.type_vocab_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, tokens: PackedBatch) -> Tensor:
        x_TD = self.words(tokens.ids_T) + self.positions(tokens.positions_T)
        return cast(Tensor, self.dropout(self.norm(x_TD + self.types(tokens.types_T))))


class Encoder(nn.Module):
    """BERT with a classifier on [CLS], in which every head and MLP has a gate."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        everything = tuple(range(config.num_attention_heads))
        kept_heads = config.kept_heads or (everything,) * config.num_hidden_layers
        kept_mlps = config.survivors["mlps"]
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(
            Layer(config, heads, bool(with_mlp))
            for heads, with_mlp in zip(kept_heads, kept_mlps, strict=True)
        )
        self.pooler = Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = Linear(config.hidden_size, classes)

    @property
    def typed_layers(self) -> list[Layer]:
        """The layers, bottom up, as what they are."""
        return [cast(Layer, layer) for layer in self.layers]

    @property
    def device(self) -> torch.device:
        return self.classifier.weight.device

    def forward(self, tokens: PackedBatch, gates: Gates | None = None) -> Tensor:
        """Logits [B, C] of a batch, with heads and MLPs multiplied by `gates` where given."""
        x: Tensor = self.embeddings(tokens)
        last = len(self.layers) - 1
        for index, layer in enumerate(self.typed_layers):
            first_only = index == last
            example_Q = tokens.example_T[tokens.first_B] if first_only else tokens.example_T
            gate = gates and gates.at(index, layer.attention.heads, example_Q)
            x = layer(x, tokens, gate, first_only)
        return cast(Tensor, self.classifier(self.dropout(torch.tanh(self.pooler(x)))))

    def prunable(self, biases: bool = False) -> dict[str, nn.Parameter]:
        """The weights that m-pruning may zero: every matrix of attention and MLP, layer by layer.

        `biases` adds those of all but the MLP's second projection, as the authors' code does.
        """
        return {
            name: parameter
            for name, parameter in self.named_parameters()
            if name.startswith("layers.") and "norm" not in name
            if name.endswith(".weight") or (biases and not name.endswith(".contract.bias"))
        }

    def extract(self, subnetwork: Subnetwork) -> "Encoder":
        """A smaller encoder with only the heads and MLPs of `subnetwork`, equal to gates at 0.

        Both share the weights that stay whole: train one of them at most. Raises ValueError where
        `subnetwork` keeps something that is no longer here.
        """
        if not subnetwork <= self.config.survivors:
            raise ValueError("the subnetwork keeps heads or MLPs that this encoder has lost")
        small = Encoder(self.config.keeping(subnetwork), self.classes)
        state = self.state_dict()
        for index, layer in enumerate(self.typed_layers):
            stays = torch.from_numpy(subnetwork["heads"][index].take(layer.attention.heads))
            if stays.all():
                continue
            rows = stays.to(self.device).repeat_interleave(self.config.head_size)
            name = f"layers.{index}.attention"
            for part in ("query", "key", "value"):
                state[f"{name}.{part}.weight"] = state[f"{name}.{part}.weight"][rows]
                state[f"{name}.{part}.bias"] = state[f"{name}.{part}.bias"][rows]
            state[f"{name}.output.weight"] = state[f"{name}.output.weight"][:, rows]
        wanted = small.state_dict().keys()
        small.load_state_dict({name: state[name] for name in wanted}, assign=True)
        return small.train(self.training)

    def cut(self, subnetwork: Subnetwork) -> "Encoder":
        """What is left: `extract` where heads and MLPs are pruned, else a copy with pruned weights 0."""
        if subnetwork.shapes == self.config.shapes:
            return self.extract(subnetwork)
        copy = deepcopy(self)
        copy.mask(subnetwork)
        return copy

    def mask(self, subnetwork: Subnetwork) -> None:
        """Set the weights that `subnetwork` prunes to 0, in place; parts are names of `prunable`."""
        weights = dict(self.named_parameters())
        with torch.no_grad():
            for name, kept in subnetwork.items():
                weights[name].mul_(torch.tensor(kept, device=self.device))


def _table(rows: int, size: int) -> nn.Embedding:
    """An embedding table without initial values, like `Linear`."""
    return nn.Embedding(rows, size, _weight=torch.empty(rows, size))
