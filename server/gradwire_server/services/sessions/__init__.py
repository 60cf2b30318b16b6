"""Tensors that live between calls: sessions, and the instructions that batches are made of."""

from __future__ import annotations
