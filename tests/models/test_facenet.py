"""The network of the attribute experiment."""

import pytest
import torch
import torchvision

from lib.models.facenet import FaceNet


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_the_authors_size_is_resnet_18():
    """Stem and stages are torchvision's ResNet-18; then 512 numbers from all 4 x 4 positions."""
    ours, theirs = FaceNet(2, size=112), torchvision.models.resnet18()
    assert parameters(ours.stem) + parameters(ours.stages) == parameters(theirs) - parameters(theirs.fc)
    assert parameters(ours.embedding) == 512 * 4 * 4 * 512 + 512 + 2 * 512
    assert parameters(ours.head) == 2 * 512 + 2


@pytest.mark.parametrize("size", [16, 33, 48, 64])
def test_shapes_and_what_is_stripped(size):
    model = FaceNet(3, size=size, width=4, blocks=(1, 1), embedding=6).eval()
    x = torch.rand(5, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features, logits, direction = model.features(x), model(x), model.direction(x)
    assert features.shape == (5, 6)
    torch.testing.assert_close(logits, features @ model.head.weight.T + model.head.bias)
    torch.testing.assert_close(direction, features / features.norm(dim=1, keepdim=True))


def test_an_embedding_knows_where_things_are():
    """A network that averages over positions cannot tell a photo from one turned upside down by its parts."""
    torch.manual_seed(0)
    model = FaceNet(2, size=16, width=4, blocks=(1,), embedding=6).eval()
    spot = torch.zeros(1, 3, 16, 16)
    spot[..., 4, 4] = 1
    moved = spot.roll((4, 4), (2, 3))
    with torch.no_grad():
        assert not torch.allclose(model.features(spot), model.features(moved), atol=1e-4)


@pytest.mark.parametrize("sizes", [{"size": 15}, {"size": 16, "width": 0}, {"size": 16, "blocks": ()},
                                   {"size": 16, "blocks": (1, 0)}, {"size": 16, "embedding": 0}])  # fmt: skip
def test_impossible_sizes_are_named(sizes):
    with pytest.raises(ValueError, match=f"{next(reversed(sizes))}="):
        FaceNet(2, **sizes)
