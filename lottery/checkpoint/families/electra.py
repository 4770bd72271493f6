"""ELECTRA (Clark et al. 2020, arXiv 2003.10555): embeddings of their own width, a head with GELU."""

from dataclasses import replace

from lottery.checkpoint.family import COMMON, EMBEDDINGS, LAYERS, SEPARATE, Family

ELECTRA = Family(
    model_type="electra",
    classes="Electra",
    prefix="electra.",
    names=(*EMBEDDINGS, ("embeddings.projection", "embeddings_project"), *LAYERS),
    head=replace(SEPARATE, activation="gelu"),
    keys={**COMMON, "embedding_size": "embedding_size"},
    values={"embedding_size": 128},
)
