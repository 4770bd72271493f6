"""The families of encoders that are supported."""

from collections.abc import Mapping

from lottery.checkpoint.families.bert import BERT
from lottery.checkpoint.families.distilbert import DISTILBERT
from lottery.checkpoint.families.electra import ELECTRA
from lottery.checkpoint.families.mpnet import MPNET
from lottery.checkpoint.families.roberta import CAMEMBERT, ROBERTA, XLM_R
from lottery.checkpoint.family import Family

FAMILIES: Mapping[str, Family] = {
    family.model_type: family
    for family in (BERT, ROBERTA, XLM_R, CAMEMBERT, DISTILBERT, ELECTRA, MPNET)
}
"""All families by their model type."""
