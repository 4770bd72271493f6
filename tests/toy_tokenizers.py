"""Small tokenizers of the families: byte-level BPE, Unigram, and WordPiece with RoBERTa's special tokens."""

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from tests import toy_hub

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
UNKNOWN = "[UNK]"
LETTERS = "abcdefghijklmnopqrstuvwxyz.?"
TEXTS = ["the film is great and the plot was awful", "a plain cast . was the film great ?"]
AROUND = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))


def save(model_type: str, folder: Path) -> Tokenizer:
    """Write the tokenizer.json of a family into a folder, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    if model_type in KINDS:
        KINDS[model_type]().save(str(folder / "tokenizer.json"))
    else:
        toy_hub.tokenizer(folder)
        (folder / "tokenizer_config.json").unlink()
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def bpe() -> Tokenizer:
    """Byte-level BPE, as RoBERTa has it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=290, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = AROUND
    return tokenizer


def unigram() -> Tokenizer:
    """Unigram, as XLM-R and CamemBERT have it."""
    pieces = dict.fromkeys([*(f"▁{word}" for word in " ".join(TEXTS).split()), "▁", *LETTERS])
    scores = [*((special, 0.0) for special in SPECIAL), *((piece, -len(piece)) for piece in pieces)]
    tokenizer = Tokenizer(
        models.Unigram(scores, unk_id=SPECIAL.index("<unk>"), byte_fallback=False)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def wordpiece() -> Tokenizer:
    """WordPiece between RoBERTa's special tokens, as MPNet has it."""
    letters = [
        f"{start}{letter}" for start in ("", "##") for letter in "abcdefghijklmnopqrstuvwxyz.?"
    ]
    words = dict.fromkeys([*SPECIAL, "[UNK]", *" ".join(TEXTS).split(), *letters])
    ids = {word: place for place, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=UNKNOWN))
    tokenizer.add_special_tokens([*SPECIAL, UNKNOWN])
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = AROUND
    return tokenizer


KINDS = {"roberta": bpe, "xlm-roberta": unigram, "camembert": unigram, "mpnet": wordpiece}
