"""RoBERTa (Liu et al. 2019, arXiv 1907.11692), and XLM-R and CamemBERT, which differ in vocabulary and data only."""

from dataclasses import replace

from lottery.checkpoint.family import COMMON, SEPARATE, Family

ROBERTA = Family(
    model_type="roberta",
    classes="Roberta",
    prefix="roberta.",
    head=SEPARATE,
    keys={**COMMON, "pad_token_id": "pad_token_id"},
    values={"pad_token_id": 1},
    counts_from_padding=True,
)
XLM_R = replace(ROBERTA, model_type="xlm-roberta", classes="XLMRoberta")
CAMEMBERT = replace(ROBERTA, model_type="camembert", classes="Camembert")
