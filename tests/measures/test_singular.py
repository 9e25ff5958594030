import pytest
import torch
from cases import STACKS, normal, with_spectrum

from lib.measures import _reduction, singular


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("transpose", [False, True])
def test_the_top_pairs_are_those_of_the_svd(name, transpose):
    J = STACKS[name].mT if transpose else STACKS[name]
    found = singular.top_pair(J)
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


@pytest.mark.parametrize("name", ["wide", "tall", "square", "near tie 1e-3", "large", "thirty-three outputs"])
def test_the_batched_reduction_needs_the_svd_for_few(name, monkeypatch):
    J, dense, sizes = STACKS[name], singular._dense, []
    monkeypatch.setattr(singular, "_dense", lambda part: sizes.append(len(part)) or dense(part))
    singular.top_pair(J)
    assert sum(sizes) <= len(J) / 50


@pytest.mark.parametrize("rows", [2, 3, 7, 20, 32])
def test_every_size_of_the_batched_reduction(rows):
    J = normal(400, rows, rows + 3, seed=rows)
    found = singular.top_pair(J)
    sigma, right = found.sigma, found.right()
    torch.testing.assert_close(sigma, torch.linalg.svdvals(J)[:, :2], atol=0, rtol=1e-12)
    moved = (J @ right.unsqueeze(-1)).squeeze(-1)
    back = (moved.unsqueeze(1) @ J).squeeze(1) - sigma[:, :1].square() * right
    assert (back.norm(dim=-1) <= 1e-11 * sigma[:, 0].square()).all()


def test_infinity_in_one_sample_is_found():
    J = normal(400, 3, 5)
    J[77, 1, 2] = torch.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        singular.top_pair(J)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_an_iteration_cut_short_is_noticed_and_made_good(rounds, monkeypatch):
    J, dense, sizes = normal(400, 6, 8), singular._dense, []
    monkeypatch.setattr(_reduction, "_ROUNDS", rounds)
    monkeypatch.setattr(singular, "_dense", lambda part: sizes.append(len(part)) or dense(part))
    sigma = singular.top_pair(J).sigma
    assert sum(sizes) > 0
    torch.testing.assert_close(sigma, torch.linalg.svdvals(J)[:, :2], atol=0, rtol=1e-12)


@pytest.mark.parametrize("outputs", [1, 2, 4, 10])
def test_the_triangle_of_a_wide_matrix_keeps_what_its_squares_lose(outputs):
    """sigma_2 / sigma_1 = 1e-12: a Gram matrix would say anything between 0 and 1e-8."""
    sigma = 1e-12 ** torch.arange(outputs).double().repeat(5, 1)
    J = with_spectrum(sigma, outputs, 40 * outputs)
    found = singular.top_pair(J)
    left, dense, right = torch.linalg.svd(J, full_matrices=False)
    torch.testing.assert_close(found.sigma[:, : dense.shape[1]], dense[:, :2], atol=1e-15, rtol=1e-2)
    assert ((found.vector * left[:, :, 0]).sum(-1).abs() > 1 - 1e-12).all()
    assert ((found.right() * right[:, 0]).sum(-1).abs() > 1 - 1e-12).all()


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("transpose", [False, True])
def test_the_top_right_vector_alone_is_that_of_the_svd(name, transpose):
    J = STACKS[name].mT if transpose else STACKS[name]
    right, sigma = singular.top_right(J), torch.linalg.svdvals(J)[:, 0]
    reached = (J @ right.unsqueeze(-1)).squeeze(-1).norm(dim=-1)
    assert ((reached - sigma).abs() <= 1e-12 * sigma).all()
    torch.testing.assert_close(right.norm(dim=-1), (sigma > 0).double(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("solve", [singular.top_right, lambda J: singular.top_pair(J).right()])
def test_inputs_stay_as_they_are_and_answers_are_float64(solve):
    for J in (normal(300, 4, 6), 1e200 * normal(3, 4, 200), normal(3, 4, 6).float(), normal(3, 6, 4).half()):
        kept = J.clone()
        assert solve(J).dtype == torch.float64
        assert torch.equal(J, kept)


@pytest.mark.parametrize("solve", [singular.top_pair, singular.top_right])
def test_bad_stacks(solve):
    for stack in (normal(3, 4), normal(0, 2, 3), normal(2, 0, 3)):
        with pytest.raises(ValueError, match="non-empty stack"):
            solve(stack)
    with pytest.raises(TypeError, match="int64"):
        solve(torch.ones(2, 2, 2, dtype=torch.long))
    for bad in (torch.nan, torch.inf, -torch.inf):
        for shape in ((2, 2, 3), (2, 2, 100), (300, 2, 3), (2, 40, 50)):
            J = normal(*shape)
            J[1, 1, 2] = bad
            with pytest.raises(ValueError, match="NaN or infinity"):
                solve(J)
