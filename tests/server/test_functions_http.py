"""Functions over HTTP: registering, conditions, listing, owners, statuses."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_server.keys import hash_key
from gradwire_server.schemas.functions import FunctionDescription, FunctionPage, FunctionWithDocument
from tests.server.functions import SQUARES, Http, declared, function, node
from tests.server.support import problem

CUBES = function({"x": declared("n")}, node("y", "pow", "x", 3), node("z", "sum", "y"))
X2 = {"x": [1.0, 2.0]}


def test_put_call_get_list_delete() -> None:
    http = Http()
    put = http.put("squares", {**SQUARES, "description": "A sum of squares."})
    described = put.json()
    FunctionDescription.model_validate(described)
    assert put.status_code == 201
    assert put.headers["etag"] == f'"{described["hash"]}"'
    assert put.headers["location"] == "/v1/functions/squares"
    assert described["signature"] == "squares(x: float64[n]) -> (z: float64[])"
    answer = http.call("squares", "value_and_grad", inputs=X2).json()
    assert (answer["value"]["data"], answer["grads"]["x"]["data"]) == (5.0, [2.0, 4.0])
    got = http.request("GET", put.headers["location"]).json()
    FunctionWithDocument.model_validate(got)
    assert got["function"] == {**SQUARES, "description": "A sum of squares."}
    assert got["versions"] == [{"hash": described["hash"], "created_at": described["created_at"]}]
    page = http.request("GET", "/v1/functions").json()
    FunctionPage.model_validate(page)
    assert page == {"items": [described], "next": None}
    assert http.request("DELETE", "/v1/functions/squares").status_code == 204
    for path in ("/v1/functions/squares", f"/v1/functions/{described['version']}"):
        assert problem(http.request("GET", path)) == (404, "unknown_function")
    assert problem(http.call("squares", inputs=X2)) == (404, "unknown_function")


def test_putting_the_same_twice_changes_nothing() -> None:
    http = Http()
    first = http.put("f", SQUARES)
    again = http.put("f", {key: SQUARES[key] for key in reversed(SQUARES)})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(http.request("GET", "/v1/functions/f").json()["versions"]) == 1


def test_a_description_is_no_part_of_the_version() -> None:
    http = Http()
    first = http.put("f", SQUARES).json()
    described = http.put("f", {**SQUARES, "description": "Better."}).json()
    assert described == {**first, "description": "Better."}
    assert http.request("GET", "/v1/functions/f").json()["function"]["description"] == "Better."


def test_old_versions_stay_reachable_by_their_hash() -> None:
    http = Http()
    old, new = http.put("f", SQUARES).json(), http.put("f", CUBES).json()
    assert old["hash"] != new["hash"]

    def value(name: str) -> Any:
        return http.call(name, inputs=X2).json()["outputs"]["z"]["data"]

    assert [value("f"), value(old["version"]), value(new["version"])] == [9.0, 5.0, 9.0]
    assert [version["hash"] for version in http.request("GET", "/v1/functions/f").json()["versions"]] == [old["hash"], new["hash"]]
    assert http.put("f", SQUARES).status_code == 200
    assert value("f") == 5.0
    assert problem(http.request("DELETE", f"/v1/functions/{old['version']}")) == (409, "current_version")
    assert http.request("DELETE", f"/v1/functions/{new['version']}").status_code == 204
    missing = http.call(new["version"], inputs=X2)
    assert problem(missing) == (404, "unknown_function")
    assert f"its current one is {old['hash']}" in missing.json()["detail"]
    assert value("f") == 5.0


def test_conditions() -> None:
    http = Http()

    def refused(document: Any, **headers: str) -> Any:
        answer = http.put("f", document, **headers)
        body = answer.json()
        assert (answer.status_code, body["code"]) == (412, "precondition_failed")
        return body.get("hash")

    assert refused(SQUARES, if_match="*") is None
    made = http.put("f", SQUARES, if_none_match="*")
    assert made.status_code == 201
    hash, tag = made.json()["hash"], made.headers["etag"]
    assert refused(SQUARES, if_none_match="*") == hash
    assert refused(CUBES, if_none_match=f'"a", W/{tag}') == hash
    assert refused(CUBES, if_match='"0123", "4567"') == hash
    # A weak tag is never the same as a strong one where something is changed.
    assert refused(CUBES, if_match=f"W/{tag}") == hash
    assert http.put("f", CUBES, if_match=f'"0123", {tag}').status_code == 200
    assert problem_code(http.request("DELETE", "/v1/functions/f", headers={"If-Match": tag})) == (412, "precondition_failed")
    assert http.request("DELETE", "/v1/functions/f", headers={"If-Match": "*"}).status_code == 204
    for wrong in ("abc", '"a" "b"', ""):
        assert problem(http.put("f", SQUARES, if_match=wrong)) == (422, "invalid_parameter")


def problem_code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_list_in_pages() -> None:
    http = Http()
    for name in ("b", "a", "d", "c", "A"):
        http.put(name)
    first = http.request("GET", "/v1/functions?limit=2").json()
    second = http.request("GET", f"/v1/functions?limit=2&cursor={first['next']}").json()
    third = http.request("GET", f"/v1/functions?limit=2&cursor={second['next']}").json()
    assert [item["name"] for page in (first, second, third) for item in page["items"]] == ["A", "a", "b", "c", "d"]
    assert third["next"] is None
    for query in ("limit=0", "limit=1001", "limit=x", "limt=1"):
        assert http.request("GET", f"/v1/functions?{query}").status_code == 422


def test_what_one_key_registers_another_does_not_see() -> None:
    one = Http(key="one", api_keys=(hash_key("one"), hash_key("two")))
    two = Http(one.application, key="two")
    one.put("f", SQUARES)
    assert problem(two.call("f", inputs=X2)) == (404, "unknown_function")
    assert two.request("GET", "/v1/functions").json()["items"] == []
    assert problem(two.request("DELETE", "/v1/functions/f")) == (404, "unknown_function")
    assert two.put("f", CUBES).status_code == 201
    assert one.call("f", inputs=X2).json()["outputs"]["z"]["data"] == 5.0
    assert two.call("f", inputs=X2).json()["outputs"]["z"]["data"] == 9.0
    assert problem(Http(one.application).call("f", inputs=X2)) == (401, "unauthorized")


def test_close_names_of_functions_are_suggested() -> None:
    http = Http()
    http.put("rosenbrock")
    missing = http.call("rosenbrok", inputs=X2)
    assert problem(missing) == (404, "unknown_function")
    assert missing.json()["detail"] == "There is no function 'rosenbrok'. Did you mean 'rosenbrock'?"


@pytest.mark.parametrize("name", ["1f", "f-g", "import", "NaN", "f@abc", "f.g", "%C3%A9", "a" * 129])
def test_names_are_those_of_programs(name: str) -> None:
    assert problem(Http().put(name)) == (422, "invalid_name")


X = {"x": declared("n")}


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ([], "invalid_type", ""),
        ({"nodes": [], "outputs": []}, "missing_field", ""),
        (function(X, node("y", "neg", "x"), output="y"), "unknown_field", "/output"),
        (function([], node("y", "ones", [2])), "invalid_type", "/inputs"),
        (function({"x": 1.0}, node("y", "neg", "x")), "invalid_type", "/inputs/x"),
        (function({"x": {"shape": []}}, node("y", "neg", "x")), "missing_field", "/inputs/x"),
        (function({"x": {"dtype": "float64"}}, node("y", "neg", "x")), "missing_field", "/inputs/x"),
        (function({"x": declared(dtype="float65")}, node("y", "neg", "x")), "unknown_dtype", "/inputs/x/dtype"),
        (function({"x": declared(dtype=64)}, node("y", "neg", "x")), "invalid_type", "/inputs/x/dtype"),
        (function({"x": {"dtype": "int64", "shape": 3}}, node("y", "neg", "x")), "invalid_shape", "/inputs/x/shape"),
        (function({"x": declared(-1)}, node("y", "neg", "x")), "invalid_shape", "/inputs/x/shape/0"),
        (function({"x": declared(2.0)}, node("y", "neg", "x")), "invalid_shape", "/inputs/x/shape/0"),
        (function({"x": declared(2, True)}, node("y", "neg", "x")), "invalid_shape", "/inputs/x/shape/1"),
        (function({"x": declared("2n")}, node("y", "neg", "x")), "invalid_name", "/inputs/x/shape/0"),
        (function({"x": declared(*"n" * 65)}, node("y", "neg", "x")), "too_many_dimensions", "/inputs/x/shape"),
        (function({"x": declared("n", default=[[1.0]])}, node("y", "neg", "x")), "shape_mismatch", "/inputs/x/default"),
        (function({"x": declared(2, default=[1.0])}, node("y", "neg", "x")), "shape_mismatch", "/inputs/x/default"),
        (function({"x": declared(1, dtype="int64", default=[1.5])}, node("y", "neg", "x")), "dtype_mismatch", "/inputs/x/default/0"),
        (function({"x": declared(requires_grad=True)}, node("y", "neg", "x")), "unknown_field", "/inputs/x/requires_grad"),
        (function({"1x": declared()}, node("y", "neg", "x")), "invalid_name", "/inputs/1x"),
        (function(X, node("y", "negg", "x")), "unknown_op", "/nodes/0/op"),
        (function(X, node("y", "neg", "w")), "undefined_name", "/nodes/0/args/0"),
        (function(X, node("y", "neg", "x"), outputs=["z"]), "undefined_name", "/outputs/0"),
        (function(X, node("y", "neg", "x"), outputs=[]), "no_outputs", "/outputs"),
        (function(X, node("y", "neg", "x"), description=1), "invalid_type", "/description"),
        (function(X, node("y", "neg", "x"), description="a" * 10_001), "description_too_long", "/description"),
        (function(X, node("y", "neg", "x"), default_dtype="int64"), "type_error", "/default_dtype"),
        (function(X, node("y", "neg", "x"), node("z", "cumsum", "y", 1)), "dim_out_of_range", "/nodes/1"),
        (function({**X, "w": declared("m")}, node("y", "add", "x", "w")), "shape_mismatch", "/nodes/0"),
        (function({"A": declared("n", 3)}, node("y", "matmul", "A", "A")), "shape_mismatch", "/nodes/0"),
        (function(X, node("m", "gt", "x", 0), node("y", "masked_select", "x", "m")), "data_dependent_shape", "/nodes/1"),
        (function(X, node("y", "nonzero", "x")), "data_dependent_shape", "/nodes/0"),
        (function({"k": declared("n", dtype="int64")}, node("y", "bincount", "k")), "data_dependent_shape", "/nodes/0"),
        (
            function(
                X,
                node("y", "functions.f", "x"),
                functions={
                    "f": {
                        "forward": {"inputs": ["a"], "nodes": [node("b", "functions.f", "a")], "outputs": ["b"]},
                        "backward": {"inputs": [], "nodes": [], "outputs": {}},
                    }
                },
            ),
            "recursion",
            "/functions/f/forward/nodes/0/op",
        ),
    ],
)
def test_a_function_is_checked_when_it_is_put(document: Any, code: str, pointer: str) -> None:
    http = Http()
    answer = http.put("f", document)
    body = answer.json()
    assert (answer.status_code, body["code"], body["pointer"]) == (422, code, pointer), body
    assert http.request("GET", "/v1/functions").json()["items"] == []


def test_messages_say_what_sizes_were_tried_and_what_to_do() -> None:
    http = Http()
    mixed = http.put("f", function({**X, "w": declared("m")}, node("y", "add", "x", "w"))).json()["detail"]
    assert "(7) must match the size of tensor b (11)" in mixed
    assert mixed.endswith("(tried with n = 7, m = 11).")
    picked = http.put("f", function(X, node("y", "nonzero", "x"))).json()["detail"]
    assert "torch.where" in picked
    assert "masked_fill" in picked


@pytest.mark.parametrize(
    "nodes",
    [
        [node("y", "reshape", "x", [2, -1])],
        [node("y", "getitem", "x", [{"slice": [100, 200, None]}]), node("z", "mul", "y", {"data": [1.0] * 100, "dtype": "float64"})],
    ],
)
def test_a_function_that_takes_only_some_sizes_is_taken(nodes: Any) -> None:
    assert Http().put("f", function(X, *nodes)).status_code == 201


def test_outputs_are_described_by_the_names_of_sizes() -> None:
    document = function(
        {"A": declared("n", "k"), "x": declared("k", dtype="float32")},
        node("t", "transpose", "A", 0, 1),
        node("r", "flatten", "A"),
        node("c", "getitem", "x", [{"slice": [0, 3, None]}]),
        outputs=["t", "r", "c"],
    )
    described = Http().put("f", document).json()
    assert described["outputs"] == {
        "t": {"dtype": "float64", "shape": ["k", "n"]},
        "r": {"dtype": "float64", "shape": [None]},
        "c": {"dtype": "float32", "shape": [3]},
    }
    assert described["signature"] == "f(A: float64[n, k], x: float32[k]) -> (t: float64[k, n], r: float64[?], c: float32[3])"


def test_a_size_that_is_null_is_said_as_json_has_it() -> None:
    assert Http().put("f", function({"x": declared(None)}, node("y", "neg", "x"))).json()["detail"].endswith("; got null.")


def test_a_text_that_calculates_with_a_declared_size() -> None:
    http = Http()
    document = {"inputs": {"x": declared("m", "n")}, "outputs": ["z"]}
    said = http.put("f", {**document, "program": "y = x.sum()\nz = y / n"}).json()
    assert (said["code"], said["pointer"], said["line"], said["column"]) == ("undefined_name", "/program", 2, 9)
    assert said["detail"].startswith("'n' is the name of a size, and no value of the program. ")
    assert "mean() in place of dividing by a size" in said["detail"]
    # A variable of that name is what it says.
    assert http.put("f", {**document, "program": "n = x * 2\nz = n.sum()"}).status_code == 201


def test_limits_on_functions() -> None:
    http = Http(functions=3, functions_per_key=2, function_bytes=1_000)
    assert problem(http.put("f", {**SQUARES, "description": "a" * 1_000})) == (422, "function_too_large")
    assert [http.put("f", SQUARES).status_code, http.put("f", CUBES).status_code] == [201, 200]
    assert problem(http.put("g", SQUARES)) == (507, "too_many_functions")
    assert http.put("f", SQUARES).status_code == 200
    http.request("DELETE", "/v1/functions/f")
    assert http.put("g", SQUARES).status_code == 201
    assert problem(Http(functions_bytes=100).put("g", SQUARES)) == (507, "too_many_functions")
    assert problem(Http(functions=1).put("g", {**SQUARES, "nodes": [*SQUARES["nodes"]] * 2})) == (422, "duplicate_name")


def test_several_processes_need_a_data_directory(tmp_path: Any) -> None:
    refused = Http(workers=2).put("f")
    assert problem(refused) == (501, "functions_need_directory")
    assert "--data-dir" in refused.json()["detail"]
    assert Http(workers=2, data_dir=tmp_path).put("f").status_code == 201


def test_a_dry_run() -> None:
    http = Http(program_bytes=10_000)
    http.put("f")
    said = http.call("f", "value_and_grad", "?dry_run=true", inputs={"x": [1.0] * 1_000})
    assert (said.status_code, said.json()["fits"], said.json()["refusal"]["code"]) == (200, False, "program_too_large")
    assert problem(http.call("f", "value_and_grad", "?dry_run=false", inputs={"x": [1.0] * 1_000})) == (422, "program_too_large")
    assert problem(http.call("f", "evaluate", "?dry_run=yes", inputs=X2)) == (422, "invalid_parameter")
    assert problem(http.call("f", "gradcheck", "?dry_run=true", inputs=X2)) == (422, "unknown_parameter")


def test_there_is_no_other_way_of_calling() -> None:
    http = Http()
    http.put("f")
    missing = http.call("f", "gradient", inputs=X2)
    assert problem(missing) == (404, "not_found")
    assert missing.json()["detail"] == (
        "There is nothing at '/v1/functions/f/gradient'; /docs shows what there is. The calls there are compute, evaluate, gradcheck, "
        "hessian, hvp, jacobian, jvp, minimize, nan_check, value_and_grad, vjp."
    )
    assert "The calls" not in http.request("GET", "/v1/functions/f/g/h").json()["detail"]
    assert problem(http.request("POST", "/v1/functions/f", json=SQUARES)) == (405, "method_not_allowed")
    assert problem(http.request("GET", "/v1/functions/f/evaluate")) == (405, "method_not_allowed")
    assert problem(http.request("PUT", "/v1/functions/f", content=b"{", headers={"Content-Type": "application/json"})) == (
        400,
        "malformed_json",
    )
    assert problem(http.request("PUT", "/v1/functions/f", content=b"{}", headers={"Content-Type": "text/plain"})) == (
        415,
        "unsupported_media_type",
    )


def test_answers_in_base64() -> None:
    http = Http()
    http.put("f")
    answer = http.call("f", "evaluate", "?encoding=base64", inputs=X2).json()["outputs"]["z"]
    assert answer["base64"] == "AAAAAAAAFEA="
