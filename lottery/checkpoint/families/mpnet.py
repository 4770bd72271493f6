"""MPNet (Song et al. 2020, arXiv 2004.09297): a bias for relative positions, shared by the layers; no types."""

from lottery.checkpoint.family import COMMON, EMBEDDINGS, SEPARATE, Family

MPNET = Family(
    model_type="mpnet",
    classes="MPNet",
    prefix="mpnet.",
    names=(
        *EMBEDDINGS,
        ("position_bias", "encoder.relative_attention_bias"),
        ("layers.", "encoder.layer."),
        ("attention.query", "attention.attn.q"),
        ("attention.key", "attention.attn.k"),
        ("attention.value", "attention.attn.v"),
        ("attention.output", "attention.attn.o"),
        ("attention_norm", "attention.LayerNorm"),
        ("mlp_norm", "output.LayerNorm"),
        ("mlp.expand", "intermediate.dense"),
        ("mlp.contract", "output.dense"),
    ),
    head=SEPARATE,
    keys={
        key: key
        for key in (*COMMON, "relative_attention_num_buckets")
        if key not in ("type_vocab_size", "classifier_dropout")
    },
    # Whatever config.json says, positions start after id 1 in transformers.
    values={"type_vocab_size": 0, "pad_token_id": 1, "relative_attention_num_buckets": 32},
    counts_from_padding=True,
)
