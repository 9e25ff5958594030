"""Slow, obviously right versions of what `lib` computes in batches: float64, one sample at a time."""

import torch

zero = torch.zeros((), dtype=torch.float64)


def jacobian(f, x):
    """(N, outputs, n), one autograd call a sample."""
    rows = [torch.autograd.functional.jacobian(lambda z: f(z[None])[0].flatten(), point) for point in x]
    return torch.stack(rows).flatten(2)


def triplets(matrix):
    """sigma_1, sigma_2 (0 if there is none) and v_1 (0 if the matrix is) of one matrix."""
    _, sigma, right = torch.linalg.svd(matrix, full_matrices=False)
    second = sigma[1] if len(sigma) > 1 else zero
    return sigma[0], second, right[0] if sigma[0] > 0 else 0 * right[0]


def top(J, k):
    """The k largest singular values (N, k) and right vectors (N, k, n) of a stack, or zeros."""
    _, sigma, right = torch.linalg.svd(J, full_matrices=False)
    short = max(0, k - sigma.shape[1])
    pad = torch.nn.functional.pad
    return pad(sigma[:, :k], (0, short)), pad(right[:, :k], (0, 0, 0, short))


def transferability(jac_source, jac_target, weights=None):
    """Definitions 1 to 4 as they are printed, a sample at a time; a dict."""
    w = (
        weights / weights.sum()
        if weights is not None
        else torch.full((len(jac_source),), 1 / len(jac_source), dtype=torch.float64)
    )
    tau1, sigma_s, sigma_t, lambda_s, lambda_t, delta_s, delta_t = [], [], [], [], [], [], []
    for js, jt in zip(jac_source, jac_target):
        s1, s2, v = triplets(js)
        t1, t2, u = triplets(jt)
        tau1.append((v @ u) ** 2)
        sigma_s.append(s1), sigma_t.append(t1)
        lambda_s.append(s2 / s1 if s1 > 0 else zero), lambda_t.append(t2 / t1 if t1 > 0 else zero)
        delta_s.append(js @ v), delta_t.append(jt @ v)
    cross = sum(p * torch.outer(b, a) for p, a, b in zip(w, delta_s, delta_t))
    second = sum(p * torch.outer(a, a) for p, a in zip(w, delta_s))
    best = cross @ torch.linalg.pinv(second, hermitian=True)
    norm_s = sum(p * a @ a for p, a in zip(w, delta_s)).sqrt()
    norm_t = sum(p * b @ b for p, b in zip(w, delta_t)).sqrt()
    radius, norm = norm_t / norm_s, torch.linalg.matrix_norm(best, ord=2)
    psi = 1.0 if norm <= radius else (radius / norm).item()
    align = psi * best
    inner = sum(p * ((2 * b - align @ a) @ (align @ a)) for p, a, b in zip(w, delta_s, delta_t))
    own = sum(p * t**2 for p, t in zip(w, sigma_t))
    return {
        "tau1": sum(p * t for p, t in zip(w, tau1)).item(),
        "tau2": (inner / norm_t**2).item(),
        "alpha_squared": (norm_t**2 / own).item(),
        "projection_scale": psi,
        "alignment": align,
        "tau1_per_sample": torch.stack(tau1),
        "sigma_source": torch.stack(sigma_s),
        "sigma_target": torch.stack(sigma_t),
        "lambda_source": torch.stack(lambda_s),
        "lambda_target": torch.stack(lambda_t),
        "deviation_source": torch.stack(delta_s),
        "deviation_target": torch.stack(delta_t),
    }


def theorem_2(jac_source, jac_target, weights):
    """Both sides of Theorem 2, sample by sample, from the printed formulas."""
    q = transferability(jac_source, jac_target, weights)
    p = weights / weights.sum()
    on = [i for i in range(len(p)) if p[i] > 0]
    tau2, align = q["tau2"], q["alignment"]
    t, ss, st, ls, lt = (
        q[k] for k in ("tau1_per_sample", "sigma_source", "sigma_target", "lambda_source", "lambda_target")
    )
    main = sum(p[i] * ((1 - t[i] * tau2) + (1 - t[i]) * (1 - tau2) * lt[i] ** 2) * st[i] ** 2 for i in on)
    ratio = sum(p[i] * st[i] ** 2 for i in on) / sum(p[i] * ss[i] ** 2 for i in on)
    rest = sum(p[i] * (lt[i] + ls[i]) ** 2 * ss[i] ** 2 for i in on) * ratio
    worst_t, worst_s, worst = (max(v[i] for i in on) for v in (lt, ls, st))
    bracket = (1 - q["tau1"] * tau2) + (1 - q["tau1"]) * (1 - tau2) * worst_t**2 + (worst_t + worst_s) ** 2
    pointwise = 0
    for i in on:
        miss = (q["deviation_target"][i] - align @ q["deviation_source"][i]).norm()
        first = (miss**2 + (1 - t[i]) * st[i] ** 2).sqrt()
        pointwise += p[i] * (first + (lt[i] + ls[i]) * torch.linalg.matrix_norm(align, ord=2) * ss[i]) ** 2
    lhs = sum(p[i] * torch.linalg.matrix_norm(jac_target[i] - align @ jac_source[i], ord=2) ** 2 for i in on)
    rhs = {
        "paper": 5 * (main + rest),
        "lipschitz": 5 * worst**2 * bracket,
        "constant_two": 2 * (main + rest),
        "minkowski": (main.sqrt() + rest.sqrt()) ** 2,
        "pointwise": pointwise,
    }
    return lhs.item(), {name: value.item() for name, value in rhs.items()}
