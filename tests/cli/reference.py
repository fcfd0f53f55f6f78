"""The objective and its stationarity residual in NumPy: plain, slow, and independent of the library.

The residual is the least norm of  g + sum lambda_i a_i + mu  over the kinks within reach, 0 <= lambda_i <= q_i, and over the
multipliers mu of the bounds that x is at (mu <= 0 at a lower bound, >= 0 at an upper one), by SciPy's bounded least squares.
"""
import numpy as np
from scipy.optimize import lsq_linear


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def first_derivatives(problem, x):
    """u, f, and q_tilde = A2' dloss/dz."""
    u = problem["A1"] @ x
    z = problem["A2"] @ np.maximum(u, 0.0)
    f, b = softmax(z), problem["b"]
    if problem["loss"] == "kl":
        q = b.sum() * f - b
    else:
        c = f - b
        q = f * (c - f @ c)
    return u, f, problem["A2"].T @ q


def loss(problem, x):
    u, f, _ = first_derivatives(problem, x)
    b = problem["b"]
    fit = -(b @ np.log(f)) if problem["loss"] == "kl" else 0.5 * np.sum((f - b) ** 2)
    return fit + 0.5 * np.sum((problem["w"] * u) ** 2)


def residual(problem, x, lower=-np.inf, upper=np.inf, kink_tolerance=1e-9):
    """(least norm, kinks, whether a kink is concave)."""
    A1 = problem["A1"]
    u, _, jumps = first_derivatives(problem, x)
    rows = np.linalg.norm(A1, axis=1)
    near = np.abs(u) <= kink_tolerance * rows * max(1.0, np.linalg.norm(x))
    concave = bool((jumps[near] * rows[near] < -1e-10).any())
    base = A1.T @ (np.where((u > 0) & ~near, jumps, 0.0) + problem["w"] ** 2 * u)
    columns, least, most = [A1[near].T], [np.minimum(jumps[near], 0.0)], [np.maximum(jumps[near], 0.0)]
    for at, low, high in ((x <= lower, -np.inf, 0.0), (x >= upper, 0.0, np.inf)):
        count = int(np.sum(at))
        columns.append(np.eye(len(x))[:, at])
        least.append(np.full(count, low))
        most.append(np.full(count, high))
    matrix, least, most = np.hstack(columns), np.concatenate(least), np.concatenate(most)
    if matrix.shape[1] == 0:
        return np.linalg.norm(base), 0, concave
    most = np.where(most > least, most, least + 1e-300)
    unit = np.linalg.norm(matrix, axis=0)
    found = lsq_linear(matrix / unit, -base, bounds=(least * unit, most * unit), tol=1e-15, max_iter=1000)
    return np.linalg.norm(base + matrix / unit @ found.x), int(near.sum()), concave


def synthetic(n, d, m, seed, noise, w, loss_name):
    """A teacher input sets b; noise moves its logits. Returns the problem and a random start."""
    rng = np.random.default_rng(seed)
    A1 = rng.standard_normal((n, d)) / np.sqrt(d)
    A2 = rng.standard_normal((m, n)) * 2 / np.sqrt(n)
    logits = A2 @ np.maximum(A1 @ rng.standard_normal(d), 0)
    b = softmax(logits + noise * rng.standard_normal(m))
    return {"A1": A1, "A2": A2, "b": b, "w": w, "loss": loss_name}, rng.standard_normal(d)
