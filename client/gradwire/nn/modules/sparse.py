"""Tables of vectors that are looked up by number."""

from __future__ import annotations

from typing import Any, Self

from gradwire_engine.modes import no_grad

from .. import functional as F
from .. import init
from .._create import empty
from ..parameter import Parameter
from .module import Module


class Embedding(Module):
    """A table of vectors (``torch.nn.Embedding``).

    Args:
        num_embeddings: The number of rows.
        embedding_dim: Their length.
        padding_idx: A row that starts as zeros and gets no gradient.
        max_norm: The norm to which rows that are looked up are scaled down first, in place.
        norm_type: The order of that norm.
        scale_grad_by_freq: Whether a row's gradient is divided by how often the row was looked up.
        sparse: Accepted, and changes nothing: gradients are dense.
        _weight: The table, if it is there already.
        _freeze: Whether the table gets no gradient.
        device: ``None`` or the CPU.
        dtype: The element type; the default dtype when left out.

    Raises:
        AssertionError: There is no row ``padding_idx``, or ``_weight`` has other sizes (torch's messages).
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is not None and tuple(_weight.shape) != (num_embeddings, embedding_dim):
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
        made = empty((num_embeddings, embedding_dim), dtype, device) if _weight is None else _weight
        self.weight = Parameter(made, requires_grad=not _freeze)
        if _weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the rows from a normal distribution, and zeroes that of ``padding_idx``."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Any) -> Any:
        """The rows at the indices ``input``: (*) gives (*, embedding_dim)."""
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse)

    def extra_repr(self) -> str:
        """The sizes, and the settings that differ from the defaults."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        if self.sparse is not False:
            text += ", sparse=True"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A module with the table ``embeddings``, which gets no gradient unless ``freeze`` is false.

        Raises:
            AssertionError: The table has not two dimensions.
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, freeze)
