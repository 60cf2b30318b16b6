// Gradients from JavaScript: one by evaluate, then a line fitted by gradient descent in a session. Node 18 or newer, no package.

const url = process.env.GRADWIRE_URL ?? "http://127.0.0.1:8000";

async function call(method, path, body) {
  const response = await fetch(url + path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(`${answer.status} ${answer.code} at ${answer.pointer}: ${answer.detail}`);
  return answer;
}

// z = x0² + x1² at (2, 3): its gradient is (4, 6).
const { outputs, grads } = await call("POST", "/v1/evaluate", {
  inputs: { x: { data: [2, 3], requires_grad: true } },
  nodes: [
    { name: "y", op: "mul", args: ["x", "x"] },
    { name: "z", op: "sum", args: ["y"] },
  ],
  outputs: ["z"],
  backward: "z",
});
const [first, second] = grads.x.data.map((g) => g.toFixed(1));
console.log(`z = ${outputs.z.data.toFixed(1)}, gradient = (${first}, ${second})`);

// A session keeps tensors between requests. Batches are numbered, so that one that is sent again is not applied again.
const { id } = await call("POST", "/v1/sessions", { default_dtype: "float64" });
let seq = 0;
async function batch(...instructions) {
  const { results } = await call("POST", `/v1/sessions/${id}/batch`, { seq: ++seq, instructions });
  return results;
}

// JSON.stringify writes 1.0 as 1, which would be an integer: so the dtype is given.
const float64 = (data) => ({ data, dtype: "float64" });
await batch(
  { do: "create", name: "x", tensor: float64([0, 1, 2, 3]) },
  { do: "create", name: "y", tensor: float64([1, 3.1, 4.9, 7]) },
  { do: "create", name: "w", tensor: { data: 0, requires_grad: true } },
  { do: "create", name: "b", tensor: { data: 0, requires_grad: true } },
);

for (let step = 1; step <= 40; step++) {
  const results = await batch(
    { do: "op", name: "wx", op: "mul", args: ["w", "x"] },
    { do: "op", name: "guess", op: "add", args: ["wx", "b"] },
    { do: "op", name: "loss", op: "nn.functional.mse_loss", args: ["guess", "y"] },
    { do: "backward", of: "loss" },
    { do: "op", op: "add_", args: ["w", "w.grad"], kwargs: { alpha: -0.1 }, no_grad: true },
    { do: "op", op: "add_", args: ["b", "b.grad"], kwargs: { alpha: -0.1 }, no_grad: true },
    { do: "set", name: "w", grad: null },
    { do: "set", name: "b", grad: null },
    { do: "read", name: "loss" },
    { do: "delete", names: ["wx", "guess", "loss"] },
  );
  if (step % 10 === 0) console.log(`step ${step}  loss ${results[8].value.data.toFixed(6)}`);
}

const [w, b] = await batch({ do: "read", name: "w" }, { do: "read", name: "b" });
console.log(`y = ${w.value.data.toFixed(4)} x + ${b.value.data.toFixed(4)}`);
await call("DELETE", `/v1/sessions/${id}`);
