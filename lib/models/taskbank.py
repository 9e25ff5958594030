"""The fifteen task-bank networks (App. G.4; Zamir et al. 2018), as published for PyTorch by visual-prior.

One encoder for all, a ResNet-50 that keeps 16 x 16 positions and ends in 8 channels, and a decoder or a head
for each task. Pixels are in [0, 1] here and scaled to the networks' [-1, 1] inside.

Architecture only: the shapes and the names in the published files are tested with random weights. Nobody
could run the published weights here. Not verified, therefore: that every name in the files is expected
(`load` fails and names them if not), whether the segmentation networks embed in 64 or 128 channels (the file
decides), and every output's agreement with the original.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from torch import Tensor, nn

from lib.data import rooms
from lib.models.resnet import convolution

SIDE = 256
CODE = (8, 16, 16)


@dataclass(frozen=True)
class Network:
    """One network of the bank: its files' stem, output channels and kind of decoder."""

    stem: str
    channels: int
    kind: Literal["image", "logits", "head"] = "image"


# The paper's names in its order. "Depth" is along the axis (Taskonomy's rgb2depth, z-buffer), the Euclidean
# distance is to the camera (rgb2mist), as Taskonomy's own list of tasks has it.
BANK: dict[str, Network] = {
    "Autoencoder": Network("autoencoding", 3),
    "Curvature": Network("curvature", 2),
    "Edge-2D": Network("edge_texture", 1),
    "Keypoint-2D": Network("keypoints2d", 1),
    "Segmentation-2D": Network("segment_unsup2d", 64),
    "Edge-3D": Network("edge_occlusion", 1),
    "Keypoint-3D": Network("keypoints3d", 1),
    "Reshade": Network("reshading", 1),
    "Depth": Network("depth_zbuffer", 1),
    "Euclidean-Distance": Network("depth_euclidean", 1),
    "Surface-Normal": Network("normal", 3),
    "Segmentation-3D": Network("segment_unsup25d", 64),
    "Segmentation-Semantic": Network("segment_semantic", 17, "logits"),
    "Object-Classification": Network("class_object", 1000, "head"),
    "Scene-Classification": Network("class_scene", 63, "head"),
}


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3, 1 x 1 and a shortcut, which drops every second pixel where the block halves the image.

    The stride sits in the LAST block of a stage, as in the TensorFlow network that was ported.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if inputs != outputs:
            self.downsample = convolution(inputs, outputs, 1)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, 4 width, H / stride, W / stride)."""
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        kept = x[..., :: self.stride, :: self.stride]
        return cast(Tensor, (self.bn3(self.conv3(y)) + self.downsample(kept)).relu())


class Encoder(nn.Module):
    """Images in [-1, 1], (N, 3, 256, 256) -> code (N, 8, 16, 16), at least 0."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)  # pads at the right and below only
        self.layer1 = _stage(64, 64, 3, 2)
        self.layer2 = _stage(256, 128, 4, 2)
        self.layer3 = _stage(512, 256, 6, 1)
        self.layer4 = _stage(1024, 512, 3, 1)
        self.compress1, self.compress_bn = nn.Conv2d(2048, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        """The code that every decoder reads."""
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return cast(Tensor, self.compress_bn(self.compress1(x)).relu())


class Crop(nn.Module):
    """Drop the last row and column: (N, C, H, W) -> (N, C, H - 1, W - 1)."""

    def forward(self, x: Tensor) -> Tensor:
        """All but the last row and column."""
        return x[..., :-1, :-1]


class Decoder(nn.Module):
    """Code (N, 8, 16, 16) -> (N, channels, 256, 256); in [-1, 1] if ``squash``, else logits of classes."""

    PLAN = (
        ("conv2", 1024), ("conv3", 1024), ("conv4", 512), ("conv5", 256), ("conv6", 256), ("conv7", 128),
        ("deconv8", 64), ("conv9", 64), ("deconv10", 32), ("conv11", 32),
        ("deconv12", 16), ("conv13", 32), ("deconv14", 16),
    )  # fmt: skip

    def __init__(self, channels: int, squash: bool = True) -> None:
        super().__init__()
        inputs = CODE[0]
        for name, outputs in self.PLAN:
            setattr(self, name, _up(inputs, outputs) if name.startswith("de") else _same(inputs, outputs))
            inputs = outputs
        last = nn.Conv2d(inputs, channels, 3, padding=1)
        self.decoder_output = nn.Sequential(last, nn.Tanh() if squash else nn.Identity())

    def forward(self, code: Tensor) -> Tensor:
        """The task's output image."""
        for name, _ in self.PLAN:
            code = getattr(self, name)(code)
        return cast(Tensor, self.decoder_output(code))


class Head(nn.Module):
    """Code (N, 8, 16, 16) -> logits (N, classes), read position by position as TensorFlow lays it out."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.fc0, self.bn0 = nn.Linear(2048, 2048, bias=False), nn.BatchNorm1d(2048)
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(2048, classes)

    def forward(self, code: Tensor) -> Tensor:
        """Logits."""
        flat = code.permute(0, 2, 3, 1).flatten(1)
        return cast(Tensor, self.fc2(self.dropout(self.bn0(self.fc0(flat)).relu())))


class TaskNetwork(nn.Module):
    """Pixels in [0, 1], (N, 3, 256, 256) -> the task's output.

    Outputs are (N, channels, 256, 256), or (N, classes) logits. ``features(x)`` (N, 2048) is the code.
    """

    def __init__(self, task: str, channels: int | None = None) -> None:
        super().__init__()
        network = _network(task)
        channels = channels or network.channels
        self.encoder = Encoder()
        self.decoder = (
            Head(channels) if network.kind == "head" else Decoder(channels, network.kind == "image")
        )

    def features(self, x: Tensor) -> Tensor:
        """The code, flattened (N, 2048)."""
        return self._code(x).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """The task's output."""
        return cast(Tensor, self.decoder(self._code(x)))

    def _code(self, x: Tensor) -> Tensor:
        if x.shape[1:] != (3, SIDE, SIDE):
            raise ValueError(f"images are {tuple(x.shape)}: the task bank takes (N, 3, {SIDE}, {SIDE})")
        return cast(Tensor, self.encoder(2 * x - 1))


def load(task: str, folder: Path | None = None) -> TaskNetwork:
    """The published network of a task, in evaluation mode, its weights frozen.

    ``folder`` is the data root (default: the registry's); the files' sha256 are pinned there
    (`lib.data.originals`) and checked, and only tensors are read. Raises registry.Missing or Corrupt,
    ValueError for an unknown task or for weights whose names or shapes are not this architecture's.
    """
    stem = _network(task).stem
    encoder = rooms.task_bank(f"{stem}_encoder", folder)["state_dict"]
    decoder = rooms.task_bank(f"{stem}_decoder", folder)["state_dict"]
    last = decoder.get("decoder_output.0.bias", decoder.get("fc2.bias"))
    model = TaskNetwork(task, None if last is None else len(last))
    _fill(model.encoder, encoder, f"{stem}_encoder")
    _fill(model.decoder, decoder, f"{stem}_decoder")
    return model.eval().requires_grad_(False)


def _fill(module: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Every tensor has its place and every place its tensor; old files may lack the counters of batches."""
    try:
        missing, unexpected = module.load_state_dict(OrderedDict(weights), strict=False)
    except RuntimeError as error:  # a shape differs
        raise ValueError(f"{name} does not fit the architecture: {error}") from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{name} does not fit: missing {missing[:4]}, not expected {unexpected[:4]}")


def _network(task: str) -> Network:
    if task not in BANK:
        raise ValueError(f"no network of the task bank is called {task!r}; known: {', '.join(BANK)}")
    return BANK[task]


def _stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    strides = [1] * (blocks - 1) + [stride]
    return nn.Sequential(*(Bottleneck(4 * width if i else inputs, width, s) for i, s in enumerate(strides)))


def _same(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*convolution(inputs, outputs), nn.LeakyReLU(0.2))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the size; numbered as in the published files, whose layers 0 and 2 pad and cut."""
    widen = nn.ConvTranspose2d(inputs, outputs, 3, 2, bias=False)
    layers = {"1": widen, "cut": Crop(), "3": nn.BatchNorm2d(outputs), "4": nn.LeakyReLU(0.2)}
    return nn.Sequential(OrderedDict(layers))
