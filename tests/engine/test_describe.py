from __future__ import annotations

import gradwire_engine as gw
from gradwire_engine.describe import graph, to_dot, to_mermaid


def example() -> tuple[gw.Tensor, gw.Tensor]:
    x = gw.tensor([[1.0, 2.0]], requires_grad=True)
    return x, (x * x).sum()


def test_the_graph_as_data() -> None:
    x, z = example()
    described = graph([z], {"x": x, "z": z})
    assert described == {
        "nodes": [
            {"id": 0, "grad_fn": "AccumulateGrad", "op": None, "name": "x", "outputs": [{"shape": [1, 2], "dtype": "float32"}]},
            {"id": 1, "grad_fn": "MulBackward0", "op": "mul", "name": None, "outputs": [{"shape": [1, 2], "dtype": "float32"}]},
            {"id": 2, "grad_fn": "SumBackward0", "op": "sum.default", "name": "z", "outputs": [{"shape": [], "dtype": "float32"}]},
        ],
        "edges": [
            {"from": 0, "output": 0, "to": 1, "input": 0},
            {"from": 0, "output": 0, "to": 1, "input": 1},
            {"from": 1, "output": 0, "to": 2, "input": 0},
        ],
    }


def test_the_graph_as_dot() -> None:
    x, z = example()
    assert to_dot(graph([z], {"x": x})) == (
        "digraph backward {\n"
        '  node [shape=box, fontname="monospace"];\n'
        '  n0 [label="x\\nAccumulateGrad\\nfloat32 [1, 2]", style=rounded];\n'
        '  n1 [label="MulBackward0\\nfloat32 [1, 2]"];\n'
        '  n2 [label="SumBackward0\\nfloat32 []"];\n'
        "  n0 -> n1;\n  n0 -> n1;\n  n1 -> n2;\n}\n"
    )


def test_the_graph_as_mermaid() -> None:
    x, z = example()
    assert to_mermaid(graph([z], {"x": x})) == (
        "flowchart TD\n"
        '  n0(["x<br/>AccumulateGrad<br/>float32 [1, 2]"])\n'
        '  n1["MulBackward0<br/>float32 [1, 2]"]\n'
        '  n2["SumBackward0<br/>float32 []"]\n'
        "  n0 --> n1\n  n0 --> n1\n  n1 --> n2\n"
    )


def test_a_tensor_without_history_has_an_empty_graph() -> None:
    assert graph([gw.tensor(1.0)]) == {"nodes": [], "edges": []}
