"""Checkpoints of the encoders that the benchmarks use, and variants of other sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch

from benchmarks.load import TASK
from lottery.checkpoint.config import Config
from lottery.data import examples as data
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import finetune

BASE = Config(
    vocab_size=30522,
    hidden_size=768,
    num_hidden_layers=12,
    num_attention_heads=12,
    intermediate_size=3072,
)
MINILM = Config(
    vocab_size=30522,
    hidden_size=384,
    num_hidden_layers=6,
    num_attention_heads=12,
    intermediate_size=1536,
)
TOY = Config(
    vocab_size=99,
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=128,
)
SIZES = {"minilm": MINILM, "base": BASE, "toy": TOY}


@dataclass(frozen=True)
class Encoders:
    """Makes each encoder once in `folder`, from the pre-trained encoder and the sentences of the pipeline."""

    assets: Path
    sentences: Path
    folder: Path

    def minilm(self) -> Path:
        """MiniLM-L6, fine-tuned on SST-2 for one epoch, so that searches start from a good score."""
        folder = self.folder / "minilm"
        if not (folder / "config.json").is_file():
            encoder = checkpoint.load(self.assets, 2, seed=0)
            recipe = FinetuneParameters(
                epochs=1, batch=16, learning_rate=2e-4, warmup=0.1, clip=1.0
            )
            finetune(encoder, data.load(self.sentences), TASK, recipe, 1)
            _save(encoder, folder)
        return folder

    def base(self) -> Path:
        """BERT-base with random weights, for times only."""
        return self.random("base")

    def toy(self) -> Path:
        """An encoder small enough for a test."""
        return self.random("toy")

    def noise(self, count: int = 64, longest: int = 12) -> Path:
        """Random sentences for any encoder, of 3 tokens and more."""
        path = self.folder / f"noise-{count}-{longest}.safetensors"
        data.save(_noise(count, longest), path)
        return path

    def variant(self, name: str, **changes: int) -> Path:
        """MiniLM-L6 with other numbers of layers or heads, and its weights as far as they remain."""
        original = checkpoint.load(self.minilm(), 2)
        config = msgspec.structs.replace(original.config, **changes)
        encoder = Encoder(config, 2)
        state: Mapping[str, torch.Tensor] = original.state_dict()
        encoder.load_state_dict({name: state[name] for name in encoder.state_dict()})
        checkpoint.save(encoder, self.folder / name)
        return self.folder / name

    def random(self, size: str) -> Path:
        """An encoder of one of `SIZES` with random weights."""
        folder = self.folder / f"random-{size}"
        if not (folder / "config.json").is_file():
            encoder, generator = Encoder(SIZES[size], 2), torch.Generator().manual_seed(0)
            with torch.no_grad():
                for key, weight in encoder.named_parameters():
                    weight.normal_(0, 0.02, generator=generator)
                    if "norm.weight" in key:
                        weight.add_(1)
            _save(encoder, folder)
        return folder


def _save(encoder: Encoder, folder: Path) -> None:
    """Write a folder that appears whole, since one with a config.json counts as made."""
    part = folder.with_name(f"{folder.name}.part")
    checkpoint.save(encoder, part)
    part.replace(folder)


def _noise(count: int, longest: int) -> Examples:
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, longest + 1, count).astype(np.int32)
    ids = rng.integers(1, TOY.vocab_size, lengths.sum()).astype(np.int32)
    labels = rng.integers(0, 2, count).astype(np.float32)
    return Examples(TASK.name, "train", ids, np.zeros(len(ids), np.int8), lengths, labels)
