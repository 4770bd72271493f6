"""Tokenizers of every family: tokenizer.json is obeyed here and after export; special tokens are its own."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as Rules
from transformers import AutoTokenizer

from lottery.attention.profile import _separators
from lottery.checkpoint.supported import FAMILIES
from lottery.data.examples import Examples, packed, sentences_T
from lottery.data.inspection import inspect
from lottery.data.rows import Row
from lottery.data.tokenizer import Tokenizer
from lottery.errors import UserError
from lottery.export import tokenizer as files
from lottery.export import vocabulary
from lottery.model import checkpoint
from lottery.model.evaluation import predict
from tests import toy_families, toy_tokenizers

LONGEST = 16
PAIRS = [
    ("the film is great", "the Plot was bad ?"),
    ("a plain <mask> cast", "é & </s> awful " * 9),
]
families = pytest.mark.parametrize("model_type", FAMILIES)


@pytest.fixture
def folder(model_type: str, tmp_path: Path) -> Path:
    """A pre-trained encoder without head, with its tokenizer.json."""
    rules = toy_tokenizers.save(model_type, tmp_path)
    model = toy_families.language_model(model_type, vocab_size=rules.get_vocab_size())
    model.save_pretrained(tmp_path)
    return tmp_path


def encoded(folder: Path, *texts: tuple[str, str | None]) -> Examples:
    rows = [Row(first, second, 0.0) for first, second in texts]
    return Tokenizer(folder, LONGEST).encode("rte", "dev", rows)[0]


@families
def test_examples_have_the_ids_of_tokenizer_json(folder: Path) -> None:
    rules = Rules.from_file(str(folder / "tokenizer.json"))
    rules.enable_truncation(LONGEST)
    examples, encoder = encoded(folder, PAIRS[0]), checkpoint.load(folder, 2, seed=1)
    assert examples.ids_T.tolist() == rules.encode(*PAIRS[0]).ids
    assert bool(examples.types_T.any()) == (encoder.config.type_vocab_size > 1)
    assert np.isfinite(predict(encoder, encoded(folder, *PAIRS))).all()


@families
def test_sentences_of_pairs_are_told_apart_with_and_without_types(folder: Path) -> None:
    rules = Rules.from_file(str(folder / "tokenizer.json"))
    rules.enable_truncation(LONGEST)
    encodings = rules.encode_batch(PAIRS)
    examples = encoded(folder, *PAIRS)
    of_text = np.concatenate(
        [[part is not None for part in each.sequence_ids] for each in encodings]
    )
    expected = [part for each in encodings for part in each.sequence_ids if part is not None]
    assert sentences_T(examples)[of_text].tolist() == expected
    assert not sentences_T(encoded(folder, ("the film", None), ("a </s> plot", None))).any()
    assert not len(sentences_T(examples.take(np.empty(0, np.int64))))


@families
def test_separators_are_what_ends_a_sentence_in_this_tokenizer(
    folder: Path, model_type: str
) -> None:
    rules = Rules.from_file(str(folder / "tokenizer.json"))
    [batch] = packed(encoded(folder, ("the film", "a plot")), 100)
    [separators] = _separators(batch)
    tokens = [rules.id_to_token(place) for place in batch.ids_T]
    identity = Tokenizer(folder, LONGEST).identity
    assert (
        identity["first"] == tokens[0] == ("<s>" if model_type in toy_tokenizers.KINDS else "[CLS]")
    )
    assert [token == identity["last"] for token in tokens] == separators.tolist()
    assert separators.sum() == (3 if model_type in toy_tokenizers.KINDS else 2)


@families
def test_transformers_reads_the_exported_tokenizer_as_it_is(folder: Path, tmp_path: Path) -> None:
    files.write(files.files(folder, LONGEST), tmp_path / "out")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "out")
    inputs, examples = loaded(PAIRS, truncation=True, padding=True), encoded(folder, *PAIRS)
    kept = np.array(inputs["attention_mask"], bool)
    assert np.array(inputs["input_ids"])[kept].tolist() == examples.ids_T.tolist()
    if checkpoint.load(folder, 2, seed=1).config.type_vocab_size > 1:
        assert np.array(inputs["token_type_ids"])[kept].tolist() == examples.types_T.tolist()
    else:
        assert set(inputs) == {"input_ids", "attention_mask"}
    assert loaded.pad_token == ("<pad>" if "<pad>" in loaded.get_vocab() else "[PAD]")


@families
def test_an_encoder_without_head_is_fit_and_noted(folder: Path, model_type: str) -> None:
    [note] = inspect(folder)
    dense = "a pooler" if model_type == "bert" else "the dense layer of a classification head"
    assert note == f"It was pre-trained without {dense}: every seed draws a new one."


@families
def test_texts_are_no_longer_than_there_are_positions(folder: Path) -> None:
    longest = checkpoint.load(folder, 2, 1).config.longest
    Tokenizer(folder, longest)
    with pytest.raises(UserError, match=f"has {longest} positions"):
        Tokenizer(folder, longest + 1)


@pytest.mark.parametrize("model_type", ["mpnet"])
def test_a_vocabulary_of_wordpiece_is_cut_to_a_task(folder: Path) -> None:
    encoder, examples = checkpoint.load(folder, 2, seed=1), encoded(folder, *PAIRS)
    original = files.files(folder, LONGEST)
    kept = vocabulary.occurring(original, [examples], encoder.config.first_position)
    small, smaller = vocabulary.reduced(encoder, original, kept)
    assert len(kept) < encoder.config.vocab_size
    expected = predict(encoder, examples)
    assert np.array_equal(predict(small, vocabulary.renumbered(examples, kept)), expected)
    files.write(smaller, folder / "out")
    loaded = AutoTokenizer.from_pretrained(folder / "out")
    ids = loaded(*PAIRS[0])["input_ids"]
    assert ids == vocabulary.renumbered(encoded(folder, PAIRS[0]), kept).ids_T.tolist()


@pytest.mark.parametrize("model_type", ["roberta", "xlm-roberta"])
def test_other_vocabularies_are_not_cut(folder: Path) -> None:
    with pytest.raises(UserError, match="only a WordPiece vocabulary can be cut"):
        vocabulary.occurring(files.files(folder, LONGEST), [encoded(folder, *PAIRS)])
