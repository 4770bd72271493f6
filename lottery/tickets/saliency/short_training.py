"""The short training of a saliency that needs one; in a module that does not import torch."""

STEPS, BATCH, LEARNING_RATE = 16, 16, 3e-5
"""Optimiser steps of AdamW for each ranking, examples of each step, and its learning rate (our choice)."""
