import pytest
import torch
from cases import STACKS, normal

from lib.measures import spectrum


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("transpose", [False, True])
def test_the_batched_spectrum_is_that_of_the_svd(name, transpose):
    J = STACKS[name].mT if transpose else STACKS[name]
    found = spectrum.top_pair(J)
    sigma, right, moved = found.sigma, found.right(), found.deviation()
    _, dense, vectors = torch.linalg.svd(J, full_matrices=False)
    top = dense[:, :1]
    second = dense[:, 1:2] if dense.shape[1] > 1 else torch.zeros_like(top)
    assert ((sigma - torch.cat([top, second], -1)).abs() <= 1e-12 * top).all()
    assert ((moved - (J @ right.unsqueeze(-1)).squeeze(-1)).norm(dim=-1) <= 1e-12 * top[:, 0]).all()
    assert ((moved.norm(dim=-1) - top[:, 0]).abs() <= 1e-12 * top[:, 0]).all()
    gap = (top - second).squeeze(-1) > 1e-6 * top.squeeze(-1)
    assert ((right * vectors[:, 0]).sum(-1).abs()[gap] > 1 - 1e-9).all()
    direction = normal(len(J), J.shape[2], seed=8)
    cosine, image = found.meet(direction)
    torch.testing.assert_close(image, (J @ direction.unsqueeze(-1)).squeeze(-1))
    torch.testing.assert_close(cosine[gap], (right * direction).sum(-1)[gap], atol=1e-8, rtol=0)


@pytest.mark.parametrize("name", ["wide", "tall", "square", "near tie 1e-3"])
def test_the_batched_spectrum_needs_the_dense_one_for_few(name, monkeypatch):
    J, dense, sizes = STACKS[name], spectrum._dense, []
    monkeypatch.setattr(spectrum, "_dense", lambda part: sizes.append(len(part)) or dense(part))
    spectrum.top_pair(J)
    assert sum(sizes) <= len(J) / 50


@pytest.mark.parametrize("rows", [2, 3, 7, 20, 32])
def test_every_size_of_the_batched_reduction(rows):
    J = normal(400, rows, rows + 3, seed=rows)
    found = spectrum.top_pair(J)
    sigma, right = found.sigma, found.right()
    torch.testing.assert_close(sigma, torch.linalg.svdvals(J)[:, :2], atol=0, rtol=1e-12)
    moved = (J @ right.unsqueeze(-1)).squeeze(-1)
    back = (moved.unsqueeze(1) @ J).squeeze(1) - sigma[:, :1].square() * right
    assert (back.norm(dim=-1) <= 1e-11 * sigma[:, 0].square()).all()


def test_infinity_in_one_sample_is_found():
    J = normal(400, 3, 5)
    J[77, 1, 2] = torch.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        spectrum.top_pair(J)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_an_iteration_cut_short_is_noticed_and_made_good(rounds, monkeypatch):
    J, dense, sizes = normal(400, 6, 8), spectrum._dense, []
    monkeypatch.setattr(spectrum, "_ROUNDS", rounds)
    monkeypatch.setattr(spectrum, "_dense", lambda part: sizes.append(len(part)) or dense(part))
    sigma = spectrum.top_pair(J).sigma
    assert sum(sizes) > 0
    torch.testing.assert_close(sigma, torch.linalg.svdvals(J)[:, :2], atol=0, rtol=1e-12)
