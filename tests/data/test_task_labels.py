from dataclasses import FrozenInstanceError

import pytest
import torch

from lib.data import depth_maps, task_labels
from lib.data.drawn.rooms.render import render
from lib.data.drawn.rooms.solids import Camera, Light, Material, Scene

H, W, FOCAL = 32, 40, 50.0


def picture(left=0, right=None):
    """A grey picture, or one whose right half differs."""
    image = torch.full((1, 3, H, W), left, dtype=torch.uint8)
    if right is not None:
        image[..., W // 2 :] = right
    return image


def slanted():
    x, y = depth_maps.grid(torch.ones(1, H, W), FOCAL)
    normal = torch.tensor([0.3, 0.8, 0.5])
    normal = normal / normal.norm()
    return -2 / (normal[0] * x + normal[1] * y - normal[2]), normal[None, :, None, None].expand(1, 3, H, W)


def test_the_fifteen_tasks_are_the_papers_in_its_order_and_colours():
    assert len({name for t in task_labels.TASKS for name in (t.name, t.published)}) == 30
    assert [task.category for task in task_labels.TASKS] == ["2D"] * 5 + ["3D"] * 7 + ["semantic"] * 3
    assert all((task.channels > 0) == (task.kind == "regression") for task in task_labels.TASKS)
    with pytest.raises(FrozenInstanceError):
        task_labels.TASKS[0].name = "other"


def test_edge_2d_answers_to_contrast():
    flat, weak, strong = (task_labels.edge_2d(picture(100, right)) for right in (100, 120, 140))
    assert flat.shape == (1, 1, H, W)
    assert flat.max() < 1e-6
    assert set(strong[0, 0].argmax(1).tolist()) <= {W // 2 - 1, W // 2}
    assert strong.max().item() == pytest.approx(2 * weak.max().item(), rel=1e-3)
    assert strong[..., :10].max() < 1e-6


def test_keypoint_2d_finds_blobs_and_corners_not_edges():
    assert task_labels.keypoint_2d(picture(100)).max() < 1e-6
    blob = picture(100)
    blob[..., 14:17, 20:23] = 160
    found = task_labels.keypoint_2d(blob)[0, 0]
    assert divmod(found.argmax().item(), W) == (15, 21)
    assert task_labels.keypoint_2d(picture(100, 160)).max() < 0.1 * found.max()


def test_segmentation_2d_paints_each_segment_with_its_mean():
    image = picture(60, 200)
    image[:, 0, :, W // 2 :] = 120
    image[:, :, ::2, ::2] += 2  # texture, which the mean removes
    found = task_labels.segmentation_2d(image)
    for half in (slice(0, W // 2 - 2), slice(W // 2 + 2, W)):  # between them is the blur of the edge
        mean = image[..., half].float().mean((2, 3)) / 255
        assert (found[..., half].amax((2, 3)) - found[..., half].amin((2, 3))).max() < 1e-6
        assert torch.allclose(found[..., 0, half.start], mean, atol=1e-3)


def test_edge_3d_grades_occlusions_and_leaves_planes_alone():
    assert task_labels.edge_3d(slanted()[0]).max() == 0
    depth = torch.full((2, 8, 8), 2.0)
    depth[0, :, 4:] = 2.5  # a share of .2
    depth[1, :, 4:] = 8.0  # a share of .75
    found = task_labels.edge_3d(depth)
    assert found[0, 0, 3, 3] == pytest.approx((0.2 - 0.05) / 0.4, rel=1e-5)
    assert found[1, 0, 3, 3] == 1
    assert found[..., :3].max() == 0


def test_keypoint_3d_finds_the_corner_of_a_room():
    grey = (Material((0.5, 0.5, 0.5)),) * 6
    camera = Camera((2.0, 1.0, 1.5), 0.9, -0.35, 1.2)
    light = Light((2.0, 2.0, 2.9), (5.0, 5.0, 5.0), 0.0, 0.1)
    maps = render(Scene("office", (4.0, 3.0, 3.0), grey, (), light, camera), 48, 64, 1)
    depth, normals = (torch.from_numpy(maps[key])[None] for key in ("depth", "normals"))
    right, up, forward = camera.basis() @ [4.0 - 2.0, 3.0 - 1.0, 0.0 - 1.5]
    column, row = 32 + maps["focal"] * right / forward, 24 - maps["focal"] * up / forward
    found = task_labels.keypoint_3d(depth, normals)[0, 0]
    peak_row, peak_column = divmod(found.argmax().item(), 64)
    assert abs(peak_row + 0.5 - row) < 2.5
    assert abs(peak_column + 0.5 - column) < 2.5
    assert found.max() > 0.2
    crease = found[:8].max()  # the edge between the two walls, away from the corner
    assert crease < 0.5 * found.max()
    assert task_labels.keypoint_3d(*slanted())[..., 4:-4, 4:-4].max() < 0.02


def test_reshade_is_the_cosine_of_normal_and_view():
    depth = torch.full((1, H, W), 3.0)
    facing = torch.tensor([0.0, 0.0, 1.0])[None, :, None, None].expand(1, 3, H, W)
    x, y = depth_maps.grid(depth, FOCAL)
    found = task_labels.reshade(facing, depth, FOCAL)
    assert torch.allclose(found[:, 0], (1 + x**2 + y**2) ** -0.5, atol=1e-6)
    assert task_labels.reshade(-facing, depth, FOCAL).max() == 0


def test_log_metres_runs_from_half_a_metre_to_ten():
    metres = torch.tensor([0.1, 0.5, 5**0.5, 10.0, 20.0]).reshape(1, 1, 5)
    assert task_labels.log_metres(metres).flatten().tolist() == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-6)


def test_segmentation_3d_tells_surfaces_apart_by_geometry():
    near = torch.full((1, H, W), 2.0)
    depth = torch.where(torch.arange(W) < W // 2, near, 4.0)
    facing = torch.tensor([0.0, 0.0, 1.0])[None, :, None, None].expand(1, 3, H, W)
    found = task_labels.segmentation_3d(depth, facing)
    wanted = torch.cat([torch.full((1, 2, H, W), 0.5), task_labels.log_metres(depth)], 1)
    assert torch.allclose(found, wanted, atol=1e-6)


def test_curvature_is_bounded_and_odd():
    bent = torch.tensor([4.0, -4.0, 0.0, 1e6]).reshape(1, 2, 2, 1)
    assert task_labels.bounded_curvature(bent).flatten().tolist() == pytest.approx(
        [0.5, -0.5, 0, 1], abs=1e-5
    )


def test_the_dominant_class_has_the_most_pixels_among_those_that_count():
    semantic = torch.zeros(3, 4, 4, dtype=torch.int64)
    semantic[0, 0, :3], semantic[0, 1, :2] = 5, 7
    semantic[1, 0, :2], semantic[1, 1, :3], semantic[1, 2] = 5, 7, task_labels.VOID
    assert task_labels.dominant(semantic, (5, 7)).tolist() == [0, 1, 2]


def test_labels_from_depth_alone():
    depth, normals = slanted()
    found = task_labels.labels(picture(50, 90), **task_labels.from_depth(depth, FOCAL))
    assert list(found) == [task.name for task in task_labels.TASKS[:12]]
    assert torch.allclose(found["Surface-Normal"], normals, atol=1e-4)
    assert found["Curvature"].abs().max() < 1e-2
    with pytest.raises(ValueError, match=r"Scene-Classification.*allow Autoencoder"):
        task_labels.labels(
            picture(), **task_labels.from_depth(depth, FOCAL), tasks=["Depth", "Scene-Classification"]
        )


def test_void_pixels_stay_void():
    depth, _ = slanted()
    semantic = torch.full((1, H, W), task_labels.VOID, dtype=torch.uint8)
    found = task_labels.labels(
        picture(), **task_labels.from_depth(depth, FOCAL), semantic=semantic, tasks=["Segmentation-Semantic"]
    )
    assert found["Segmentation-Semantic"].dtype == torch.int64
    assert (found["Segmentation-Semantic"] == task_labels.VOID).all()


@pytest.mark.parametrize("label", ["autoencoder", "edge_2d", "keypoint_2d", "segmentation_2d"])
def test_images_must_be_bytes(label):
    for bad in (torch.rand(1, 3, 8, 8), picture()[0], picture()[:, :1]):
        with pytest.raises(ValueError, match="rgb must be uint8"):
            getattr(task_labels, label)(bad)
