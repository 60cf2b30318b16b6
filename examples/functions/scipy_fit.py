"""Fits a logistic regression by SciPy, whose optimiser asks a server for values, gradients and products with the Hessian.

It runs in this process, or on the server that GRADWIRE_URL names.
"""

import numpy as np
from scipy.optimize import minimize

import gradwire as gw


@gw.function
def loss(w: gw.Tensor, X: gw.Tensor, y: gw.Tensor) -> gw.Tensor:
    """The mean logistic loss of the weights w, with a little regularisation."""
    mean: gw.Tensor = gw.nn.functional.binary_cross_entropy_with_logits(X @ w, y)
    return mean + 0.01 * (w * w).sum()


rng = np.random.default_rng(0)
X = np.column_stack([rng.normal(size=(200, 2)), np.ones(200)])
y = (X @ [2.0, -1.0, 0.5] + rng.logistic(size=200) > 0).astype(float)

f = loss.scipy
start = np.zeros(3)
first_order = minimize(f.fun, start, args=(X, y), jac=f.jac, method="L-BFGS-B")
second_order = minimize(f.fun, start, args=(X, y), jac=f.jac, hessp=f.hessp, method="Newton-CG")
for name, found in (("L-BFGS-B", first_order), ("Newton-CG", second_order)):
    print(f"{name:9s} loss {found.fun:.6f}  w = {np.round(found.x, 3)}  accuracy {np.mean((X @ found.x > 0) == y):.3f}")

# How sure are the weights? The Hessian at the minimum says so, computed in one request.
deviations = np.sqrt(np.diag(np.linalg.inv(loss.hessian(second_order.x, X, y, wrt="w") * len(y))))
print("standard deviations", np.round(deviations, 3))
