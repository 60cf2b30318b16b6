#!/usr/bin/env bash
# Gradients from the shell: one by evaluate, then a line fitted by gradient descent in a session. Needs curl, and jq or python3.
set -euo pipefail
export LC_ALL=C  # printf writes 0.5, not 0,5
URL=${GRADWIRE_URL:-http://127.0.0.1:8000}

post() { # post PATH JSON
  curl --silent --show-error --fail-with-body --retry 3 -H 'Content-Type: application/json' --data "$2" "$URL$1"
}

if command -v jq >/dev/null; then
  get() { # get PATH <JSON
    jq -r --arg path "$1" 'getpath($path | split(".") | map(tonumber? // .))'
  }
else
  get() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key) if key.isdigit() else key]
print(value)' "$1"
  }
fi

# z = x0² + x1² at (2, 3): its gradient is (4, 6).
answer=$(post /v1/evaluate '{
  "inputs":   {"x": {"data": [2.0, 3.0], "requires_grad": true}},
  "nodes":    [{"name": "y", "op": "mul", "args": ["x", "x"]},
               {"name": "z", "op": "sum", "args": ["y"]}],
  "outputs":  ["z"],
  "backward": "z"}')
z=$(get outputs.z.data <<<"$answer")
first=$(get grads.x.data.0 <<<"$answer")
second=$(get grads.x.data.1 <<<"$answer")
printf 'z = %.1f, gradient = (%.1f, %.1f)\n' "$z" "$first" "$second"

# A session keeps tensors between requests. Batches are numbered, so that one that is sent again is not applied again.
session=$(post /v1/sessions '{"default_dtype": "float64"}' | get id)
trap 'curl --silent --request DELETE "$URL/v1/sessions/$session"' EXIT
batch() { # batch NUMBER INSTRUCTIONS
  post "/v1/sessions/$session/batch" "{\"seq\": $1, \"instructions\": $2}"
}

batch 1 '[
  {"do": "create", "name": "x", "tensor": [0.0, 1.0, 2.0, 3.0]},
  {"do": "create", "name": "y", "tensor": [1.0, 3.1, 4.9, 7.0]},
  {"do": "create", "name": "w", "tensor": {"data": 0.0, "requires_grad": true}},
  {"do": "create", "name": "b", "tensor": {"data": 0.0, "requires_grad": true}}]' >/dev/null

step='[
  {"do": "op", "name": "wx", "op": "mul", "args": ["w", "x"]},
  {"do": "op", "name": "guess", "op": "add", "args": ["wx", "b"]},
  {"do": "op", "name": "loss", "op": "nn.functional.mse_loss", "args": ["guess", "y"]},
  {"do": "backward", "of": "loss"},
  {"do": "op", "op": "add_", "args": ["w", "w.grad"], "kwargs": {"alpha": -0.1}, "no_grad": true},
  {"do": "op", "op": "add_", "args": ["b", "b.grad"], "kwargs": {"alpha": -0.1}, "no_grad": true},
  {"do": "set", "name": "w", "grad": null},
  {"do": "set", "name": "b", "grad": null},
  {"do": "read", "name": "loss"},
  {"do": "delete", "names": ["wx", "guess", "loss"]}]'
for ((i = 1; i <= 40; i++)); do
  answer=$(batch $((i + 1)) "$step")
  if ((i % 10 == 0)); then
    loss=$(get results.8.value.data <<<"$answer")
    printf 'step %d  loss %.6f\n' "$i" "$loss"
  fi
done

answer=$(batch 42 '[{"do": "read", "name": "w"}, {"do": "read", "name": "b"}]')
w=$(get results.0.value.data <<<"$answer")
b=$(get results.1.value.data <<<"$answer")
printf 'y = %.4f x + %.4f\n' "$w" "$b"
