"""A smaller vocabulary: equal tokens and logits on the task's texts, and no word that becomes unknown elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer

from lottery.data.examples import Examples
from lottery.errors import UserError
from lottery.export import tokenizer, vocabulary, wordpiece
from lottery.model.evaluation import predict
from tests import toy_hub, toys

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = "abc"
"""The characters that are pieces; words may also have others."""
pieces = st.lists(st.text(LETTERS, min_size=2, max_size=4), max_size=12, unique=True)
texts = st.text(f"{LETTERS}é  ", max_size=24)


def files(longer: Sequence[str], seed: int = 0) -> dict[str, str]:
    """A WordPiece tokenizer of all letters and `longer` pieces, at the beginning of a word and within it, shuffled."""
    words = [*LETTERS, *longer]
    names = np.random.default_rng(seed).permutation(
        [*SPECIAL, *words, *(f"##{word}" for word in words)]
    )
    ids = {str(name): place for place, name in enumerate(names)}
    built = Tokenizer(models.WordPiece(ids, unk_token=SPECIAL[1]))
    built.add_special_tokens(SPECIAL)
    built.normalizer, built.pre_tokenizer = (
        normalizers.BertNormalizer(),
        pre_tokenizers.BertPreTokenizer(),
    )
    built.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")],
    )
    built.enable_padding(pad_id=ids["[PAD]"])
    return {"tokenizer.json": built.to_str()}


def read(texts: Mapping[str, str]) -> Tokenizer:
    return Tokenizer.from_str(texts["tokenizer.json"])


def examples(texts: Mapping[str, str], sentences: Sequence[str]) -> Examples:
    encoded = [read(texts).encode(sentence) for sentence in sentences]
    return Examples(
        task="sst2",
        split="dev",
        ids_T=np.array([place for each in encoded for place in each.ids], np.int32),
        types_T=np.array([kind for each in encoded for kind in each.type_ids], np.int8),
        lengths_N=np.array([len(each.ids) for each in encoded], np.int32),
        labels_N=np.zeros(len(encoded), np.float32),
    )


@given(pieces, st.lists(texts, min_size=1, max_size=4), st.integers(0, 9))
def test_texts_of_the_task_have_the_same_tokens(
    longer: list[str], sentences: list[str], seed: int
) -> None:
    original = files(longer, seed)
    whole = examples(original, sentences)
    kept = vocabulary.occurring(original, [whole])
    smaller = wordpiece.reduced(original, kept)
    again, expected = examples(smaller, sentences), vocabulary.renumbered(whole, kept)
    assert np.array_equal(again.ids_T, expected.ids_T)
    assert np.array_equal(again.types_T, expected.types_T)
    assert [read(smaller).id_to_token(place) for place in again.ids_T.tolist()] == [
        read(original).id_to_token(place) for place in whole.ids_T.tolist()
    ]
    assert vocabulary.foreign(whole, kept) == 0


@given(pieces, st.lists(texts, max_size=2), st.lists(texts, min_size=1, max_size=4))
def test_a_word_is_unknown_exactly_if_it_was_before(
    longer: list[str], sentences: list[str], others: list[str]
) -> None:
    original = files(longer)
    kept = vocabulary.occurring(original, [examples(original, sentences)])
    before, after = read(original), read(wordpiece.reduced(original, kept))
    for word in " ".join(others).split():
        unknown = [each.token_to_id("[UNK]") in each.encode(word).ids for each in (before, after)]
        assert unknown[0] == unknown[1] == ("é" in word)
    assert after.get_vocab_size() == len(kept)


@settings(max_examples=10)
@given(st.integers(0, 99), st.booleans())
def test_logits_stay(seed: int, pruned: bool) -> None:
    original = files(["ab", "abc", "cab", "bb"], seed)
    sentences = ["ab abcab é", "cab", "b a c bbb"]
    encoder = toys.encoder(seed)
    encoder = encoder.extract(toys.subnetwork(seed)) if pruned else encoder
    whole = examples(original, sentences)
    kept = vocabulary.occurring(original, [whole])
    small, _ = vocabulary.reduced(encoder, original, kept)
    assert small.config.vocab_size == len(small.embeddings.words.weight) == len(kept) < 50
    assert not small.training
    expected = predict(encoder, whole)
    assert np.array_equal(predict(small, vocabulary.renumbered(whole, kept)), expected)


def test_transformers_reads_the_cut_files(tmp_path: Path) -> None:
    toy_hub.bert(tmp_path / "bert")
    original = tokenizer.files(tmp_path / "bert", 16)
    sentences = ["the film is great", "casts", "a plot, and a film"]
    kept = vocabulary.occurring(original, [examples(original, sentences)])
    smaller = wordpiece.reduced(original, kept)
    tokenizer.write(smaller, tmp_path / "cut")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "cut")
    assert len(loaded) == len(kept) < len(AutoTokenizer.from_pretrained(tmp_path / "bert"))
    for sentence in [*sentences, "awful awful", "unheard of"]:
        assert loaded(sentence)["input_ids"] == read(smaller).encode(sentence).ids
    batch = loaded(sentences, padding=True)
    assert {len(row) for row in batch["input_ids"]} == {
        max(len(read(smaller).encode(each).ids) for each in sentences)
    }
    assert loaded.pad_token_id == read(smaller).token_to_id("[PAD]")


def test_every_place_of_an_id_is_renumbered() -> None:
    original = files(["ab"])
    built = read(original)
    separator, first = [(name, built.get_vocab()[name]) for name in ("[SEP]", "[CLS]")]
    built.post_processor = processors.BertProcessing(separator, first)
    original = {"tokenizer.json": built.to_str()}
    smaller = wordpiece.reduced(original, wordpiece.indispensable(original))
    cut = read(smaller)
    assert cut.encode("abc").tokens == ["[CLS]", "a", "##b", "##c", "[SEP]"]
    assert cut.encode("abc").ids == [cut.token_to_id(name) for name in cut.encode("abc").tokens]
    assert cut.padding is not None
    assert cut.padding["pad_id"] == cut.token_to_id("[PAD]")


def test_foreign_tokens_are_counted() -> None:
    original = files(["ab"])
    whole = examples(original, ["ab abc a"])
    kept = np.setdiff1d(np.arange(30), [read(original).token_to_id("ab")])
    assert vocabulary.foreign(whole, kept) == pytest.approx(2 / 6)
    with pytest.raises(ValueError, match="sst2 dev has pieces"):
        vocabulary.renumbered(whole, kept)
    empty = replace(whole, ids_T=np.empty(0, np.int32))
    assert vocabulary.foreign(empty, kept) == 0


def test_other_tokenizers_are_refused() -> None:
    built = Tokenizer(models.BPE({"a": 0}, []))
    with pytest.raises(UserError, match="the model is BPE; only a WordPiece"):
        vocabulary.occurring({"tokenizer.json": built.to_str()}, [toys.sentences(2)])
