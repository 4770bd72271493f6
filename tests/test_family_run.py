"""A run with encoders of other families: searched, retrained, verified and exported like one with a BERT."""

from pathlib import Path

import msgspec
import pytest

from lottery.checkpoint import config
from tests import toy_run, toy_tokenizers, toys
from tests.tampering import problems
from tests.test_export import ABOUT, describe
from tools.export import main

CHANGES = {"mpnet": {"type_vocab_size": 0, "pad_token_id": 1, "relative_attention_num_buckets": 32}}


@pytest.mark.parametrize("model_type", ["mpnet"])
def test_a_run_of_another_family_verifies_and_exports(
    model_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = toy_tokenizers.save(model_type, tmp_path / "encoder")
    sizes = {
        "vocab_size": max(toys.CONFIG.vocab_size, rules.get_vocab_size()),
        "max_position_embeddings": 40,
    }
    changes = {"model_type": model_type, **sizes, **CHANGES[model_type]}
    whole = toys.encoder(config=msgspec.structs.replace(toys.CONFIG, **changes))
    monkeypatch.setattr(toys, "encoder", lambda: whole)
    toy_run.make(tmp_path, seeds=(1,))
    assert not problems(tmp_path)
    describe(tmp_path, ABOUT)
    monkeypatch.chdir(tmp_path)
    for method, small in (("structured", "small"), ("magnitude", "mask")):
        out = Path("out", method)
        names = f"transformers,{small}"
        main("rte", out, 1, method=method, names=names, encoder=Path("encoder"))
        assert config.read(out).model_type == model_type
        assert f"tags: [{model_type}, pruning" in (out / "README.md").read_text("utf-8")
