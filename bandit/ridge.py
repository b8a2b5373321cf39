"""One Bayesian linear regression an arm, all arms side by side.

With z the features of an arm and r its reward, penalty λ and prior mean θ₀ (Li et al. 2010,
arXiv 1003.0146, algorithm 1, where θ₀ = 0):

    A = λI + Σ z zᵀ        b = λθ₀ + Σ r z        θ = A⁻¹ b
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from bandit.base import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ridge:
    """m arms of p features. `A` (m, p, p), `b` (m, p); from them `inverse` (m, p, p), `theta` (m, p)."""

    A: Floats
    b: Floats
    inverse: Floats
    theta: Floats

    @classmethod
    def of(cls, A: Floats, b: Floats) -> Self:
        """The regression with these sums; A symmetric positive definite."""
        lower = np.linalg.inv(np.linalg.cholesky(A))
        inverse = lower.transpose(0, 2, 1) @ lower
        # Solving beats multiplying by the inverse where A is badly scaled.
        theta: Floats = np.linalg.solve(A, b[:, :, None])[:, :, 0].astype(np.float64)
        return cls(A, b, inverse, theta)

    @classmethod
    def prior(cls, penalty: float, intercepts: Floats, features: int) -> Self:
        """Before any data: `features` columns, the first constant with prior mean `intercepts` (m,)."""
        arms = intercepts.shape[0]
        eye = np.broadcast_to(np.eye(features), (arms, features, features))
        b = np.zeros((arms, features))
        b[:, 0] = penalty * intercepts
        theta = b / penalty
        return cls(penalty * eye, b, eye / penalty, theta)

    def after(self, squares: Floats, products: Floats, prior: Ridge, kept: float) -> Self:
        """With Σ z zᵀ (m, p, p) and Σ r z (m, p) of new rounds added, and what was learnt since `prior`
        counting `kept` in [0, 1] of what it did (discounted LinUCB: Russac et al., NeurIPS 2019)."""
        A = prior.A + kept * (self.A - prior.A) + squares
        return self.of(A, prior.b + kept * (self.b - prior.b) + products)

    def means(self, Z: Floats) -> Floats:
        """zᵀθ of every arm (m,), for `Z` (m, p)."""
        return np.asarray(np.einsum("mp,mp->m", Z, self.theta))

    def widths(self, Z: Floats) -> Floats:
        """√(zᵀ A⁻¹ z) of every arm (m,)."""
        return np.sqrt(_quadratic(self.inverse, Z))


@njit(cache=True)
def _quadratic(matrices: Floats, rows: Floats) -> Floats:
    """zᵀ M z for each symmetric M (m, p, p) and z (m, p), not below 0."""
    arms, columns = rows.shape
    values = np.zeros(arms)
    product = np.empty(columns)
    for arm in range(arms):
        product[:] = 0.0
        # Row by row, so that the inner loop is one vector instruction over neighbours in memory.
        for j in range(columns):
            factor = rows[arm, j]
            for k in range(columns):
                product[k] += factor * matrices[arm, j, k]
        total = 0.0
        for k in range(columns):
            total += product[k] * rows[arm, k]
        # Rounding may leave a tiny negative number where the form is next to nothing.
        values[arm] = max(total, 0.0)
    return values
