import pytest
import torch

from lib.models.encoder_decoder import EncoderDecoder


def network(outputs=3, **options):
    torch.manual_seed(0)
    return EncoderDecoder(outputs, width=4, **options).eval()


@pytest.mark.parametrize("size", [(24, 32), (16, 24), (48, 64)])
def test_maps_have_the_image_s_size_and_the_representation_an_eighth(size):
    x = torch.rand(2, 3, *size)
    assert network(5)(x).shape == (2, 5, *size)
    assert network(5).features(x).shape == (2, 16, size[0] // 8, size[1] // 8)
    assert network(7, dense=False)(x).shape == (2, 7)


def test_every_task_has_the_same_encoder():
    shapes = [[p.shape for p in network(n, dense=d).encoder.parameters()] for n, d in ((1, True), (9, False))]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("dense", [True, False])
def test_nothing_goes_around_the_encoder(dense):
    model = network(dense=dense)
    first, second = torch.rand(2, 1, 3, 16, 24)
    code = model.features(first)
    model.encoder.forward = lambda x: code
    assert torch.equal(model(first), model(second))


def test_outputs_are_in_the_units_of_the_labels():
    model, x = network(2), torch.rand(1, 3, 16, 24)
    plain = model(x)
    model.centre.copy_(torch.tensor([5.0, -1.0]).view(2, 1, 1))
    model.scale.copy_(torch.tensor([2.0, 0.1]).view(2, 1, 1))
    torch.testing.assert_close(model(x)[:, 0], 5 + 2 * plain[:, 0])
    torch.testing.assert_close(model(x)[:, 1], -1 + 0.1 * plain[:, 1])


def test_a_cell_decodes_to_the_pixels_that_it_stands_for():
    """Far from a changed cell the output is as before; at the cell it is not."""
    model = network(1)
    code = torch.rand(1, 16, 8, 8)
    other = code.clone()
    other[:, :, 1, 1] += 1
    change = (model.decoder(other) - model.decoder(code)).abs()[0, 0]
    assert change[8:16, 8:16].max() > 1e-4
    assert change[32:].max() == 0
    assert change[:, 32:].max() == 0


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="20 x 24"):
        network()(torch.rand(1, 3, 20, 24))
    with pytest.raises(ValueError, match="outputs=0"):
        EncoderDecoder(0)
