"""Samples of convolutions in one to three dimensions."""

from __future__ import annotations

from .base import E, S, Sample, T

_F = "nn.functional."
_LINE, _LINE_W = T((2, 3, 6)), T((4, 3, 3))
_IMAGE, _W, _B = T((2, 3, 6, 5)), T((4, 3, 3, 2)), T(4)
_GROUPED, _GROUPED_W = T((2, 4, 5, 5)), T((6, 2, 3, 3))
_SOLID, _SOLID_W = T((1, 2, 4, 3, 4)), T((3, 2, 2, 2, 2))
_SINGLE, _SINGLE_W = T((2, 3, 5, 5), dtype="float32"), T((4, 3, 3, 3), dtype="float32")
_WHOLE, _WHOLE_W = T((1, 2, 4, 4), dtype="int64"), T((3, 2, 2, 2), dtype="int64")


SAMPLES: dict[str, list[Sample]] = {
    _F + "conv1d": [
        S(_LINE, _LINE_W),
        S(_LINE, _LINE_W, _B, 2, 1),
        S(_LINE, T((4, 3, 2)), _B, padding="same"),
        S(_LINE, _LINE_W, padding="valid", stride=2),
        S(T((3, 6)), _LINE_W, _B),
        S(T((2, 4, 6)), T((4, 1, 3)), groups=4, dilation=2),
        S(T((2, 3, 6), layout="transposed"), _LINE_W),
        E(T(6), _LINE_W),
        E(T((2, 3, 2)), _LINE_W),
    ],
    _F + "conv2d": [
        S(_IMAGE, _W),
        S(_IMAGE, _W, _B),
        S(_IMAGE, _W, _B, 2),
        S(_IMAGE, _W, _B, (2, 1), (1, 0), (1, 2)),
        S(_IMAGE, _W, stride=[2], padding=(1,)),
        S(_IMAGE, _W, _B, padding="same"),
        S(_IMAGE, _W, padding="same", dilation=2),
        S(_IMAGE, T((4, 3, 3, 3)), padding="same"),
        S(_IMAGE, _W, padding="valid", stride=(1, 3)),
        S(T((3, 6, 5)), _W, _B),
        S(T((3, 6, 5)), _W, padding="same"),
        S(_GROUPED, _GROUPED_W, groups=2),
        S(_GROUPED, _GROUPED_W, T(6), 2, 1, 1, 2),
        S(_GROUPED, T((4, 1, 3, 3)), groups=4, padding=1),
        S(_IMAGE, T((4, 3, 1, 1)), _B),
        S(T((0, 3, 6, 5)), _W, _B),
        S(T((2, 3, 6, 5), grad=False), _W, _B),
        S(_IMAGE, T((4, 3, 3, 2), grad=False)),
        S(T((2, 3, 6, 5), layout="transposed"), _W),
        S(_SINGLE, _SINGLE_W, T(4, dtype="float32"), padding=1),
        S(_WHOLE, _WHOLE_W),
        E(_IMAGE, _W, padding="same", stride=2),
        E(_IMAGE, _W, padding="full"),
        E(_IMAGE, _W, T(5)),
        E(_IMAGE, _W, _B, (1, 2, 3)),
        E(_IMAGE, _W, _B, 1, (1, 1, 1)),
        E(_IMAGE, _W, stride=0),
        E(_IMAGE, _W, stride=-1),
        E(_IMAGE, _W, padding=-1),
        E(_IMAGE, _W, dilation=0),
        E(_IMAGE, _W, dilation=4),
        E(_IMAGE, _W, groups=0),
        E(_IMAGE, T((1, 3, 3, 3)), groups=2),
        E(_GROUPED, T((5, 2, 3, 3)), groups=2),
        E(_GROUPED, _GROUPED_W, groups=3),
        E(_GROUPED, _W),
        E(T((6, 6)), _W),
        E(_IMAGE, T((4, 3, 3))),
        E(_IMAGE, T(4)),
        E(_IMAGE, T((4, 3, 0, 0))),
        E(T((2, 3, 2, 1)), _W),
        E(_IMAGE, T((4, 3, 3, 2), dtype="float32")),
        E(_IMAGE, _W, T(4, dtype="float32")),
        E(T((1, 2, 4, 4), dtype="bool"), T((3, 2, 2, 2), dtype="bool")),
    ],
    _F + "conv3d": [
        S(_SOLID, _SOLID_W),
        S(_SOLID, _SOLID_W, T(3), (1, 2, 1), 1),
        S(_SOLID, _SOLID_W, padding="same"),
        S(T((2, 4, 3, 4)), _SOLID_W),
    ],
    _F + "conv_transpose1d": [
        S(_LINE, T((3, 4, 3))),
        S(_LINE, T((3, 4, 3)), _B, 2, 1, 1),
        S(T((3, 6)), T((3, 4, 3))),
        S(_LINE, T((3, 2, 3)), output_padding=1, dilation=2),
        E(_LINE, T((3, 4, 3)), output_padding=1),
        E(_LINE, T((3, 4, 3)), padding=8),
        E(_LINE, T((4, 3, 3))),
    ],
    _F + "conv_transpose2d": [
        S(_IMAGE, T((3, 4, 3, 2))),
        S(_IMAGE, T((3, 4, 3, 2)), _B),
        S(_IMAGE, T((3, 4, 3, 2)), _B, (2, 1), 1, (1, 0)),
        S(_GROUPED, T((4, 3, 3, 3)), T(6), stride=2, padding=1, output_padding=1, groups=2),
        S(_IMAGE, T((3, 2, 2, 2)), dilation=2, output_padding=1),
        S(T((3, 6, 5)), T((3, 4, 3, 2))),
        S(T((0, 3, 6, 5)), T((3, 4, 3, 2)), _B),
        E(_IMAGE, T((3, 4, 3, 2)), output_padding=1),
        E(_IMAGE, T((3, 4, 3, 2)), output_padding=-1),
        E(_IMAGE, T((4, 3, 3, 2))),
        E(_IMAGE, T((3, 4, 3, 2)), T(3)),
        E(_IMAGE, T((3, 4, 3, 2)), padding=9),
        E(T(3), T((3, 4, 3, 2))),
    ],
    _F + "conv_transpose3d": [S(_SOLID, T((2, 3, 2, 2, 2)), T(3), 2), E(_SOLID, T((2, 3, 2, 2, 2)), output_padding=1)],
    "convolution": [
        S(_IMAGE, _W, _B, (1, 1), (0, 0), (1, 1), False, (0, 0), 1),
        S(_IMAGE, T((3, 4, 3, 2)), None, (2, 2), (1, 1), (1, 1), True, (1, 1), 1),
        E(T((3, 6, 5)), _W, None, (1, 1), (0, 0), (1, 1), False, (0, 0), 1),
    ],
}
