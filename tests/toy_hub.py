"""Downloads from the hub in miniature: a GLUE folder of all nine tasks, a random BERT."""

from collections.abc import Mapping
from pathlib import Path

import torch
from datasets import ClassLabel, Dataset, DatasetDict, DatasetInfo, Features, Value
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, BertTokenizer

from lottery.data.glue import COLUMNS, DEV
from lottery.seeds import rng
from lottery.tasks import get_task

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = ("awful", "plain", "great", "the", "film", "plot", "cast", "is", "was", "and", ".")
VOCABULARY = {word: at for at, word in enumerate((*SPECIAL, *WORDS, "##s"))}
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'\"-"
SPELLING = {
    word: at for at, word in enumerate((*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)))
}
"""A vocabulary that spells any English text, so that real sentences stay different ones."""


def glue(folder: Path, train: int = 60, dev: int = 24) -> Path:
    """Nine tasks as `save_to_disk(folder/task)` leaves them; one word tells the label."""
    for name in COLUMNS:
        splits = {
            "train": train,
            **dict.fromkeys(DEV.get(name, {"dev": "validation"}).values(), dev),
        }
        saved = {split: _split(name, split, size) for split, size in splits.items()}
        saved["test"] = saved["train"].map(lambda row: row | {"label": -1})
        DatasetDict(saved).save_to_disk(folder / name)
    return folder


def _split(name: str, split: str, size: int) -> Dataset:
    drawn, known, texts = rng("toy", name, split), get_task(name), COLUMNS[name]
    kinds = known.classes if known.classes > 1 else 3
    features = {text: Value("string") for text in texts}
    label = Value("float32") if known.regression else ClassLabel(num_classes=kinds)
    columns: dict[str, list[object]] = {text: [] for text in (*texts, "label", "idx")}
    for row in range(size):
        kind = row % kinds
        for text in texts:
            filler = drawn.choice(WORDS[3:], size=drawn.integers(3, 9)).tolist()
            columns[text].append(" ".join([*filler, WORDS[kind * 2 // (kinds - 1)]]))
        columns["label"].append(2.5 * kind if known.regression else kind)
        columns["idx"].append(row)
    schema = Features({**features, "label": label, "idx": Value("int32")})
    info = DatasetInfo(features=schema, dataset_name="glue", config_name=name)
    return Dataset.from_dict(columns, features=schema, info=info)


def bert(
    folder: Path,
    layers: int = 2,
    heads: int = 2,
    hidden: int = 16,
    vocabulary: Mapping[str, int] = VOCABULARY,
) -> Path:
    """A random BERT, the same each time, with its fast tokenizer, as `save_pretrained` leaves it."""
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=2 * hidden,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return tokenizer(folder, vocabulary)


def speller(folder: Path) -> Path:
    """A random BERT that reads any English text, for runs whose point is what runs, not what it computes.

    With these layers a retraining of the smallest experiment takes seconds, so that it can be killed on its way.
    """
    return bert(folder, layers=4, vocabulary=SPELLING)


def tokenizer(folder: Path, vocabulary: Mapping[str, int] = VOCABULARY) -> Path:
    """A fast tokenizer with a handful of words, as `save_pretrained` leaves it."""
    words = Tokenizer(models.WordPiece(dict(vocabulary), unk_token=SPECIAL[1]))
    words.normalizer = normalizers.BertNormalizer()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    BertTokenizer(tokenizer_object=words).save_pretrained(folder)
    return folder
