import math

import pytest
import torch

from lib.data import depth_maps
from lib.data.drawn.rooms.render import render
from lib.data.drawn.rooms.solids import Camera, Light, Material, Scene, Thing, ball

FOCAL, H, W = 60.0, 24, 32


def plane(normal, offset, focal=FOCAL, centre=None):
    """Depth (1, H, W) of the plane n . P = offset < 0, from rays (x, y, -1)."""
    x, y = depth_maps.grid(torch.ones(1, H, W, dtype=torch.float64), focal, centre)
    return offset / (normal[0] * x + normal[1] * y - normal[2])


def unit(*values):
    vector = torch.tensor(values, dtype=torch.float64)
    return vector / vector.norm()


PLANES = [unit(0, 0, 1), unit(0.3, 0.8, 0.5), unit(-0.9, 0.1, 0.4), unit(0.2, -0.7, 0.6)]


@pytest.mark.parametrize("normal", PLANES)
@pytest.mark.parametrize("radius", [1, 3])
def test_normals_are_exact_on_planes_up_to_the_border(normal, radius):
    depth = plane(normal, -2.0)
    found = depth_maps.normals(depth, FOCAL, radius=radius)
    assert torch.allclose(found, normal[None, :, None, None].expand(1, 3, H, W), atol=1e-9)


def test_a_principal_point_off_the_middle_is_taken_into_account():
    normal, centre = PLANES[1], (10.0, 15.0)
    depth = plane(normal, -2.0, centre=centre)
    exact = normal[None, :, None, None].expand(1, 3, H, W)
    assert torch.allclose(depth_maps.normals(depth, FOCAL, centre), exact, atol=1e-9)
    assert not torch.allclose(depth_maps.normals(depth, FOCAL), exact, atol=1e-3)


def test_each_image_may_have_its_own_focal_length():
    depth = torch.cat([plane(PLANES[1], -2.0, 60.0), plane(PLANES[1], -2.0, 90.0)])
    found = depth_maps.normals(depth, torch.tensor([60.0, 90.0]))
    assert torch.allclose(found, PLANES[1][None, :, None, None].expand(2, 3, H, W), atol=1e-9)


def test_surfaces_on_both_sides_of_an_occlusion_keep_their_normals():
    left, right = plane(PLANES[1], -1.0), plane(PLANES[2], -4.0)
    depth = torch.where(torch.arange(W) < 16, left, right)
    assert ((right / left)[..., 15:17] > 1.5).all()
    found = depth_maps.normals(depth, FOCAL, radius=2)
    exact = torch.where(torch.arange(W) < 16, PLANES[1][:, None, None], PLANES[2][:, None, None])
    assert (found[0] - exact).abs().max() < 1e-6


def test_distance_is_the_length_of_the_point():
    depth = plane(PLANES[3], -2.0)
    assert torch.allclose(depth_maps.distance(depth, FOCAL), depth_maps.points(depth, FOCAL).norm(dim=1))
    corner = math.hypot(15.5, 11.5) / FOCAL
    flat = depth_maps.distance(torch.ones(1, H, W), FOCAL)
    assert flat[0, 0, 0] == pytest.approx(math.hypot(1, corner))


def balls(inside=False):
    """A ball of radius 0.5 m at high resolution: its exact depth, normals and focal length."""
    grey = Material((0.5, 0.5, 0.5))
    room = Scene(
        "office",
        (4.0, 4.0, 3.0),
        (grey,) * 6,
        (Thing("ornament", (ball(2.0, 2.0, 1.0, 0.5, grey),)),),
        Light((2.0, 1.0, 2.9), (5.0, 5.0, 5.0), 0.0, 0.1),
        Camera((2.0, 0.5, 1.5), 0.0, 0.0, 1.0),
    )
    maps = {key: torch.from_numpy(value)[None] for key, value in render(room, 192, 256, 1).items()}
    mask = (maps["instance"] == 6) & (maps["normals"][:, 2] > 0.6)
    return maps["depth"].double(), maps["normals"].double(), maps["focal"].double(), mask


def test_curvature_of_a_ball_from_its_depth_alone():
    depth, exact, focal, mask = balls()
    normal = depth_maps.normals(depth, focal)
    assert torch.rad2deg(torch.acos((normal * exact).sum(1).clamp(-1, 1)))[mask].max() < 1
    found = depth_maps.curvature(depth, normal, focal).transpose(0, 1)[:, mask]
    assert mask.sum() > 1000
    assert (found.median(dim=1).values - 2.0).abs().max() < 0.05
    assert ((found - 2.0).abs() < 0.3).double().mean() > 0.95


def test_a_hollow_bends_the_other_way():
    y, x = torch.meshgrid(torch.linspace(-0.3, 0.3, 61), torch.linspace(-0.3, 0.3, 61), indexing="ij")
    focal = 100.0
    ray = torch.stack([x, y, -torch.ones_like(x)]).double()  # the far half of a sphere around the camera
    depth = (2.0 / ray.norm(dim=0))[None]
    normal = (-ray / ray.norm(dim=0))[None]
    scale = torch.tensor([1.0, -1.0, 1.0]).double()[:, None, None]  # rows go down, y goes up
    found = depth_maps.curvature(depth, normal * scale, focal)
    assert torch.allclose(found[:, :, 2:-2, 2:-2], torch.tensor(-0.5).double(), atol=5e-3)


def test_planes_neither_bend_nor_occlude():
    for normal in PLANES:
        depth = plane(normal, -2.0)
        flat = normal[None, :, None, None].expand(1, 3, H, W)
        assert depth_maps.curvature(depth, flat, FOCAL).abs().max() < 1e-9
        assert depth_maps.occlusion(depth).max() < 1e-12


def test_occlusion_is_the_share_by_which_the_back_is_farther():
    depth = torch.full((1, 8, 8), 2.0)
    depth[:, :, 4:] = 4.0
    found = depth_maps.occlusion(depth)
    assert torch.allclose(found[:, :, 3:5], torch.tensor(0.5))
    assert found[:, :, :3].max() == found[:, :, 5:].max() == 0
    assert torch.equal(depth_maps.occlusion(depth.transpose(1, 2)), found.transpose(1, 2))


def test_the_camera_of_nyuv2_is_scaled_with_the_image():
    focal, centre = depth_maps.nyuv2_camera(420, 560)
    assert (focal, *centre) == pytest.approx((519.2, 284.58, 208.74))
    small, middle = depth_maps.nyuv2_camera(48, 64)
    assert (small, *middle) == pytest.approx(tuple(v * 64 / 560 for v in (focal, *centre)))
    with pytest.raises(ValueError, match="3 : 4"):
        depth_maps.nyuv2_camera(64, 64)


def test_bad_depth_is_named():
    good = torch.ones(2, 8, 8)
    for bad in (good[0], good.long(), good - 1, good * float("nan")):
        with pytest.raises(ValueError, match="positive float"):
            depth_maps.normals(bad, FOCAL)
    with pytest.raises(ValueError, match="one or 2"):
        depth_maps.distance(good, torch.ones(3))
    with pytest.raises(ValueError, match="one or 2"):
        depth_maps.distance(good, 0.0)
    with pytest.raises(ValueError, match="radius"):
        depth_maps.normals(good, FOCAL, radius=0)
