"""What a module says of a name that it does not have: torch's words with torch's name of the module, or that torch has it alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gradwire_engine.op import REGISTRY

_OF_DIMENSIONS: Final = (
    "AdaptiveAvgPool AdaptiveMaxPool AvgPool BatchNorm CircularPad ConstantPad Conv ConvTranspose InstanceNorm LPPool LazyBatchNorm "
    "LazyConv LazyConvTranspose LazyInstanceNorm MaxPool MaxUnpool ReflectionPad ReplicationPad ZeroPad"
)
LEFT_OUT: Final[Mapping[str, frozenset[str]]] = {
    module: frozenset(names.split())
    for module, names in {
        "torch": "amp asarray as_strided autocast bfloat16 bucketize cdist compile compiler corrcoef cov diff distributed distributions "
        "export from_dlpack frombuffer func functional fx gradient heaviside histc hub isin jit kl_div load logaddexp multiprocessing "
        "nanmean nanquantile nested onnx poisson profiler quantile random save searchsorted sparse sparse_coo_tensor stft "
        "svd trapezoid uint16 uint32 uint64 unique_consecutive utils vander vmap",
        "torch.nn": " ".join(f"{kind}{n}d" for kind in _OF_DIMENSIONS.split(" ") for n in (1, 2, 3))
        + " AdaptiveLogSoftmaxWithLoss AlphaDropout CTCLoss ChannelShuffle DataParallel EmbeddingBag "
        "FeatureAlphaDropout Fold GRU GRUCell LSTM LSTMCell LazyLinear LocalResponseNorm MultiLabelMarginLoss MultiLabelSoftMarginLoss "
        "MultiMarginLoss MultiheadAttention PixelShuffle PixelUnshuffle RMSNorm RNN RNNBase RNNCell RReLU Softmax2d SyncBatchNorm "
        "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer TripletMarginWithDistanceLoss "
        "Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d attention parallel",
        "torch.nn.functional": "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d "
        "adaptive_max_pool3d affine_grid alpha_dropout avg_pool3d channel_shuffle ctc_loss embedding_bag fold grid_sample gumbel_softmax "
        "instance_norm interpolate local_response_norm lp_pool1d lp_pool2d max_pool3d max_unpool1d max_unpool2d max_unpool3d "
        "multi_head_attention_forward multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss pdist pixel_shuffle "
        "pixel_unshuffle rms_norm rrelu scaled_dot_product_attention triplet_margin_with_distance_loss unfold upsample",
        "torch.nn.utils": "parametrizations parametrize prune rnn skip_init spectral_norm weight_norm",
        "torch.optim": "ASGD Adadelta Adafactor Adagrad Adamax LBFGS Muon NAdam RAdam RMSprop Rprop SparseAdam lr_scheduler swa_utils",
        "torch.autograd": "Variable detect_anomaly forward_ad graph profiler set_detect_anomaly",
        "torch.linalg": "cholesky_ex cond diagonal eig eigvals householder_product inv_ex ldl_factor ldl_solve lstsq lu lu_factor "
        "lu_solve matrix_exp matrix_rank solve_ex solve_triangular tensorinv tensorsolve vander vecdot",
        "torch.fft": "fft2 fftfreq fftn fftshift hfft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn rfft rfft2 rfftfreq rfftn",
    }.items()
}
"""Names that torch has, and Gradwire does not (yet): those that a program is likely to use."""


def no_attribute(module: str, name: str) -> AttributeError:
    """The error for a name that a module does not have.

    Args:
        module: The module, by torch's name.
        name: The name.
    """
    if name not in LEFT_OUT.get(module, ()):
        return AttributeError(f"module '{module}' has no attribute '{name}'")
    function = f"nn.functional.{name.lower()}"
    instead = f"; torch.{function} is there" if module == "torch.nn" and function in REGISTRY else ""
    return AttributeError(f"{module}.{name} is not part of Gradwire (yet){instead}.")


def missing(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module of ours that stands for one of torch's.

    Args:
        module: The module's ``__name__``.
    """
    theirs = "torch" + module.removeprefix("gradwire")

    def refuse(name: str) -> Any:
        raise no_attribute(theirs, name)

    return refuse
