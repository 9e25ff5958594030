"""The residual networks against torchvision's, and their shapes."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from lib.models import training
from lib.models.cnn import DigitNet
from lib.models.resnet import MEAN, STD, ResNet


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_resnet18_computes_what_torchvision_s_does():
    """The same 62 layers in the same order; torchvision's stem is replaced by the one for small images."""
    with training.seeded(seeded()):
        peer = resnet18(num_classes=4)
        peer.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        peer.maxpool = nn.Identity()
        ours = ResNet(4)
    weights = [value for name, value in ours.state_dict().items() if name not in ("mean", "std")]
    names = list(peer.state_dict())
    assert len(weights) == len(names)
    peer.load_state_dict(dict(zip(names, weights)))
    x = torch.rand(2, 3, 32, 32, generator=seeded())
    scaled = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), peer.eval()(scaled), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "side", "channels"),
    [
        ({}, 4, 512),
        ({"width": 16, "blocks": (1, 1, 1), "stem_stride": 2}, 4, 64),
        ({"width": 8, "blocks": (2,)}, 32, 8),
    ],
)
def test_each_stage_doubles_the_channels_and_halves_the_image(options, side, channels):
    model = ResNet(5, **options).eval()
    maps = model.stages(model.stem(torch.zeros(1, 3, 32, 32)))
    assert maps.shape == (1, channels, side, side)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


@pytest.mark.parametrize("model", [ResNet(3, width=4, blocks=(1, 1)), DigitNet(3, width=4)])
def test_the_head_reads_the_features(model):
    shape = (4, 3, 16, 16) if isinstance(model, ResNet) else (4, 1, 8, 8)
    x = torch.rand(shape, generator=seeded())
    model.eval()
    features = model.features(x)
    assert features.shape == (4, model.head.in_features)
    torch.testing.assert_close(model.head(features), model(x))


@pytest.mark.parametrize(
    "options", [{"classes": 0}, {"classes": 2, "width": 0}, {"classes": 2, "blocks": ()}]
)
def test_impossible_sizes_are_refused(options):
    with pytest.raises(ValueError, match="at least 1"):
        ResNet(**options)
    if "blocks" not in options:
        with pytest.raises(ValueError, match="at least 1"):
            DigitNet(**options)
