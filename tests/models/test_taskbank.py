"""The task-bank networks against torchvision, loops and crafted files; their labels against samples."""

import hashlib
import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import resnet50

from lib.data import registry, task_labels
from lib.data.entry import File
from lib.data.originals import WEIGHTS
from lib.models import taskbank, training
from lib.models.taskbank import BANK, Decoder, Encoder, Head, TaskNetwork


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def crafted(kind, *sizes):
    """A file's content: each tensor filled with its own number, one stored value each; no batch counters."""
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in kind(*sizes).state_dict().items()}
    names = [name for name in shapes if not name.endswith("num_batches_tracked")]
    return {name: torch.tensor(i / 8).expand(shapes[name]) for i, name in enumerate(names, 1)}


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Files in place of the published ones, pinned by their own sha256."""

    def put(contents):
        files = []
        for name, weights in contents.items():
            place = tmp_path / "taskbank" / f"{name}.pth"
            place.parent.mkdir(exist_ok=True)
            torch.save({"state_dict": weights}, place)
            digest = "sha256:" + hashlib.sha256(place.read_bytes()).hexdigest()
            files.append(File(place.name, "", 0, digest))
        entry = replace(registry.get("taskbank"), files=tuple(files))
        monkeypatch.setitem(registry.CATALOGUE, "taskbank", entry)
        return tmp_path

    return put


def test_the_bank_has_the_papers_tasks_in_order_and_every_file_is_pinned():
    assert list(BANK) == [task.name for task in task_labels.TASKS]
    stems = [network.stem for network in BANK.values()]
    assert [name for name, _ in WEIGHTS] == [f"{s}_{part}" for s in stems for part in ("encoder", "decoder")]
    assert all(len(sha) == 64 and int(sha, 16) for _, sha in WEIGHTS)
    pinned = {file.name: file.digest for file in registry.get("taskbank").files}
    assert pinned == {f"{name}.pth": f"sha256:{sha}" for name, sha in WEIGHTS}


@pytest.mark.parametrize("task", list(BANK))
def test_each_network_has_the_shape_of_its_task(task):
    with torch.device("meta"):
        model = TaskNetwork(task).eval()
        x = torch.empty(2, 3, 256, 256)
        assert model.features(x).shape == (2, 2048)
        output = model(x)
    network = BANK[task]
    flat = network.kind == "head"
    assert output.shape == ((2, network.channels) if flat else (2, network.channels, 256, 256))


def test_the_encoder_has_the_names_and_numbers_of_torchvisions_resnet50():
    with torch.device("meta"):
        ours = {n: v.shape for n, v in Encoder().state_dict().items() if not n.startswith("compress")}
        peer = {n: v.shape for n, v in resnet50().state_dict().items() if not n.startswith("fc.")}
    assert ours == peer


def test_the_encoder_computes_what_torchvisions_blocks_do_with_the_strides_moved():
    with training.seeded(seeded()):
        peer, ours = resnet50().eval(), Encoder().eval()
    for module in (*peer.modules(), *ours.modules()):
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1, generator=seeded(1))
            module.running_var.uniform_(0.5, 1.5, generator=seeded(2))
    kept = {n: v for n, v in peer.state_dict().items() if not n.startswith("fc.")}
    assert ours.load_state_dict(kept, strict=False).unexpected_keys == []
    for stage, stride in ((peer.layer1, 2), (peer.layer2, 2), (peer.layer3, 1), (peer.layer4, 1)):
        stage[0].conv2.stride = stage[0].downsample[0].stride = (1, 1)
        stage[-1].conv2.stride = (stride, stride)
        stage[-1].downsample = nn.AvgPool2d(1, stride)
    x = torch.rand(2, 3, 64, 64, generator=seeded(3)) * 2 - 1
    with torch.no_grad():
        y = peer.bn1(peer.conv1(x)).relu()
        y = functional.max_pool2d(functional.pad(y, (0, 1, 0, 1), value=-math.inf), 3, 2)
        y = peer.layer4(peer.layer3(peer.layer2(peer.layer1(y))))
        y = ours.compress_bn(ours.compress1(y)).relu()
        assert y.shape == (2, 8, 4, 4)
        assert y.std() > 0.01
        torch.testing.assert_close(ours(x), y, rtol=1e-4, atol=1e-4)


def test_a_decoder_layer_doubles_the_size_as_tensorflow_does():
    """Each input pixel adds its 3 x 3 stamp at twice its position; what hangs over the far edge is cut."""
    with training.seeded(seeded()):
        layer = Decoder(1).deconv8[:2]
    x = torch.rand(1, 128, 3, 3, generator=seeded())
    stamp = layer[0].weight.detach()
    expected = torch.zeros(64, 7, 7)
    for row in range(3):
        for column in range(3):
            marks = torch.einsum("i,iokl->okl", x[0, :, row, column], stamp)
            expected[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += marks
    torch.testing.assert_close(layer(x)[0].detach(), expected[:, :6, :6], rtol=1e-4, atol=1e-5)


def test_the_head_reads_position_by_position():
    head = Head(3).eval()
    nn.init.eye_(head.fc0.weight)
    code = torch.arange(2048.0).reshape(1, 8, 16, 16)
    seen = []
    head.fc2.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    head(code)
    position = (5 * 16 + 9) * 8 + 3  # row 5, column 9, channel 3
    assert seen[0][0, position].item() == pytest.approx(code[0, 3, 5, 9].item(), rel=1e-4)


def test_pixels_are_scaled_inside_and_outputs_squashed():
    with torch.device("meta"):
        model = TaskNetwork("Depth")
    model.encoder = model.decoder = nn.Identity()
    x = torch.rand(1, 3, 256, 256, generator=seeded())
    torch.testing.assert_close(model(x), 2 * x - 1)
    with training.seeded(seeded()):
        image, logits = Decoder(2), Decoder(17, squash=False)
    for decoder in (image, logits):
        nn.init.constant_(decoder.decoder_output[0].bias, 3.0)
        decoder.eval()
    code = torch.zeros(1, 8, 2, 2)
    with torch.no_grad():
        assert image(code).amax() <= 1
        assert logits(code).mean() > 2


def test_weights_go_where_their_names_say(published):
    encoder, head = crafted(Encoder), crafted(Head, 63)
    root = published({"class_scene_encoder": encoder, "class_scene_decoder": head})
    model = taskbank.load("Scene-Classification", root)
    found = model.encoder.state_dict() | {f"head.{k}": v for k, v in model.decoder.state_dict().items()}
    for name, value in (encoder | {f"head.{k}": v for k, v in head.items()}).items():
        assert torch.equal(found[name], value), name
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


def test_a_segmentation_network_embeds_in_as_many_channels_as_its_file_has(published):
    encoder, decoder = crafted(Encoder), crafted(Decoder, 128)
    root = published({"segment_unsup2d_encoder": encoder, "segment_unsup2d_decoder": decoder})
    assert taskbank.load("Segmentation-2D", root).decoder.decoder_output[0].out_channels == 128


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w | {"surprise": torch.ones(1)}, "not expected.*surprise"),
        (lambda w: {k: v for k, v in w.items() if k != "conv7.0.weight"}, "missing.*conv7.0.weight"),
        (lambda w: w | {"conv7.0.weight": torch.ones(1)}, "size mismatch"),
    ],
)
def test_weights_that_do_not_fit_are_named(published, change, message):
    encoder, decoder = crafted(Encoder), crafted(Decoder, 1)
    root = published({"reshading_encoder": encoder, "reshading_decoder": change(decoder)})
    with pytest.raises(ValueError, match=message):
        taskbank.load("Reshade", root)


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="known: Autoencoder"):
        taskbank.load("Colour")
    with pytest.raises(registry.Missing, match="taskbank"):
        taskbank.load("Depth", tmp_path)
    with torch.device("meta"), pytest.raises(ValueError, match="256, 256"):
        TaskNetwork("Depth")(torch.empty(1, 3, 64, 64))


# --- labels -----------------------------------------------------------------------------------------------
