import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch

from lib.data import depth_maps, task_labels
from lib.data.drawn.rooms import render, rooms, textures, tracing
from lib.data.drawn.rooms.kinds import KINDS
from lib.data.drawn.rooms.layout import Room, scene
from lib.data.drawn.rooms.looks import look
from lib.data.drawn.rooms.shading import picture
from lib.data.drawn.rooms.solids import (
    BOX,
    CLASSES,
    CYLINDER,
    SPHERE,
    Camera,
    Light,
    Material,
    Scene,
    Thing,
    ball,
    box,
    tube,
)

GREY = Material((0.5, 0.5, 0.5))
MAPS = (
    "rgb",
    "depth",
    "distance",
    "normals",
    "curvature",
    "instance",
    "semantic",
    "scene",
    "object",
    "focal",
)


@pytest.fixture(scope="module")
def some():
    return rooms(40)


def crafted(*things, camera=None, size=(4.0, 5.0, 3.0)):
    """A plain room; its lamp hangs in the middle, the camera looks along +y."""
    light = Light((size[0] / 2, size[1] / 2, size[2] - 0.1), (5.0, 5.0, 5.0), 0.0, 0.1)
    return Scene("office", size, (GREY,) * 6, things, light, camera or Camera((2.0, 0.5, 1.5), 0.0, 0.0, 1.2))


def world(room, maps):
    """World points of the pixels, from depth and camera, by trigonometry of our own."""
    camera, depth = room.camera, maps["depth"].astype(float)
    height, width = depth.shape
    f = width / 2 / math.tan(camera.view / 2)
    right, up = np.meshgrid(
        (np.arange(width) + 0.5 - width / 2) / f, (height / 2 - np.arange(height) - 0.5) / f
    )
    level = math.cos(camera.pitch) - up * math.sin(camera.pitch)  # forward, after pitching
    x = right * math.cos(camera.yaw) + level * math.sin(camera.yaw)
    y = -right * math.sin(camera.yaw) + level * math.cos(camera.yaw)
    z = math.sin(camera.pitch) + up * math.cos(camera.pitch)
    return np.array(camera.position)[:, None, None] + depth * np.array([x, y, z])


def same(a, b):
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in MAPS)


def test_a_room_depends_on_seed_and_index_only(some):
    assert same(some, rooms(40))
    shuffled = rooms(torch.tensor([7, 2, 31]))
    for place, index in enumerate([7, 2, 31]):
        assert torch.equal(shuffled.rgb[place], some.rgb[index])
        assert torch.equal(shuffled.depth[place], some.depth[index])
        assert shuffled.object[place] == some.object[index]
    assert not torch.equal(rooms([7], seed=1).depth[0], some.depth[7])
    assert len({image.numpy().tobytes() for image in some.rgb}) == 40


def test_shapes_types_and_ranges(some):
    assert some.rgb.dtype == torch.uint8
    assert some.rgb.shape == some.normals.shape == (40, 3, 48, 64)
    assert (
        some.depth.shape == some.distance.shape == some.instance.shape == some.semantic.shape == (40, 48, 64)
    )
    assert some.curvature.shape == (40, 2, 48, 64)
    assert all(
        getattr(some, name).dtype == torch.int64 for name in ("instance", "semantic", "scene", "object")
    )
    assert some.depth.min() > 0.2
    assert 0 <= some.semantic.min() <= some.semantic.max() < len(some.classes)
    assert set(some.scene.tolist()) == set(range(len(some.scenes)))  # every kind of room occurs
    assert rooms(1, size=(24, 40)).rgb.shape == (1, 3, 24, 40)


def test_supersampling_averages_the_photograph_and_leaves_the_maps(some):
    rough = rooms(5, samples=1)
    assert all(torch.equal(getattr(rough, name), getattr(some, name)[:5]) for name in MAPS if name != "rgb")
    room = scene(0, 3)
    room = replace(room, light=replace(room.light, radius=0.0))
    large = picture(room, 144, 192, 1).reshape(3, 48, 3, 64, 3)
    error = np.abs(picture(room, 48, 64, 3) - large.mean((2, 4))).mean()
    assert error < 2  # of 255: the mean of light is not quite the mean of grey levels
    assert np.abs(large[:, :, 1, :, 1] - large.mean((2, 4))).mean() > 2 * error


def test_an_empty_room_is_where_its_planes_are():
    room = crafted(camera=Camera((1.2, 0.7, 1.4), 0.5, -0.3, 1.3))
    maps = render.render(room, 48, 64)
    point = world(room, maps)
    limits = [(0, 0.0), (0, 4.0), (1, 0.0), (1, 5.0), (2, 0.0), (2, 3.0)]
    seen = set()
    for face, (axis, at) in enumerate(limits):
        mask = maps["instance"] == face
        seen |= {face} if mask.any() else set()
        assert np.abs(point[axis][mask] - at).max(initial=0) < 1e-5
    assert {1, 3, 4} <= seen
    inside = (point > -1e-5).all(0) & (point < np.array(room.size)[:, None, None] + 1e-5).all(0)
    assert inside.all()


def test_distance_is_depth_over_the_cosine(some):
    height, width = some.depth.shape[1:]
    across = torch.arange(width) + 0.5 - width / 2
    down = torch.arange(height) + 0.5 - height / 2
    angle = torch.atan(torch.hypot(across[None, None], down[None, :, None]) / some.focal[:, None, None])
    assert torch.allclose(some.distance * angle.cos(), some.depth, rtol=1e-5)


def test_normals_are_unit_and_face_the_viewer(some):
    assert torch.allclose(some.normals.norm(dim=1), torch.ones(()), atol=1e-5)
    toward = depth_maps.points(some.depth, some.focal)
    assert (toward * some.normals).sum(1).max() < 1e-5


def test_normals_agree_with_depth(some):
    fitted = depth_maps.normals(some.depth.double(), some.focal.double())
    cosine = (fitted * some.normals).sum(1).clamp(-1, 1)
    angle = torch.rad2deg(torch.acos(cosine))[:, 1:-1, 1:-1]
    around = torch.nn.functional.unfold(some.normals, 3).reshape(40, 3, 9, *angle.shape[1:])
    parallel = (around - around[:, :, 4:5]).abs().amax((1, 2)) < 1e-6  # all nine pixels
    step = torch.nn.functional.max_pool2d(depth_maps.occlusion(some.depth.double()), 3, 1)
    plane = parallel & (step < 1e-5)
    assert plane.float().mean() > 0.4
    assert angle[plane].max() < 0.5
    assert (angle < 10).float().mean() > 0.8  # creases and the rims of small things included


def test_a_ball_is_a_ball():
    centre, radius = np.array([2.3, 3.0, 1.2]), 0.6
    room = crafted(Thing("ornament", (ball(2.3, 3.0, 0.6, radius, GREY),)))
    maps = render.render(room, 96, 128)
    on_it = maps["instance"] == 6
    point = world(room, maps) - centre[:, None, None]
    assert on_it.sum() > 500
    assert np.abs(np.linalg.norm(point[:, on_it], axis=0) - radius).max() < 1e-5
    assert np.abs(maps["curvature"][:, on_it] - 1 / radius).max() < 1e-6
    assert np.abs(maps["curvature"][:, ~on_it]).max() == 0
    right, forward, up = point[:, on_it] / radius  # the camera looks along +y without a turn
    assert np.abs(maps["normals"][:, on_it] - np.array([right, up, -forward])).max() < 1e-5
    # The outline: a ray meets the ball if it passes within its radius.
    rays = world(room, {"depth": np.ones_like(maps["depth"])}) - np.array(room.camera.position)[:, None, None]
    away = centre - room.camera.position
    passes = np.linalg.norm(np.cross(rays, away, axis=0, axisb=0, axisc=0), axis=0) / np.linalg.norm(
        rays, axis=0
    )
    assert ((passes < radius) == on_it).all()


def test_a_cylinder_bends_one_way_and_its_cap_not_at_all():
    room = crafted(
        Thing("lamp", (tube(2.0, 3.0, 0.0, 0.5, 1.0, GREY),)), camera=Camera((2, 0.5, 2.2), 0, -0.4, 1.2)
    )
    maps = render.render(room, 96, 128)
    on_it, point = maps["instance"] == 6, world(room, maps)
    cap = on_it & (np.abs(point[2] - 1.0) < 1e-5)
    side = on_it & ~cap
    assert cap.sum() > 50
    assert side.sum() > 200
    assert np.abs(maps["curvature"][:, side] - np.array([2.0, 0.0])[:, None]).max() < 1e-6
    assert np.abs(maps["curvature"][:, cap]).max() == 0
    assert np.abs(np.hypot(point[0] - 2, point[1] - 3)[side] - 0.5).max() < 1e-5
    assert np.hypot(point[0] - 2, point[1] - 3)[cap].max() <= 0.5 + 1e-5


def test_a_ray_along_the_axis_of_a_cylinder_meets_its_caps():
    ray = np.array([0.0, 0.0, -1.0])
    inside, outside = (tracing.interval(CYLINDER, np.array([x, 0.0, 3.0]), ray) for x in (0.5, 1.5))
    assert inside == pytest.approx((2, 4))
    assert not outside[0] <= outside[1]


@pytest.mark.parametrize("shape", [BOX, CYLINDER, SPHERE])
def test_a_ray_parallel_to_the_faces_passes_or_meets(shape):
    ray = np.array([0.0, 1.0, 0.0])
    assert tracing.interval(shape, np.array([0.0, -3.0, 0.0]), ray) == pytest.approx((2, 4))
    enter, leave = tracing.interval(shape, np.array([0.0, -3.0, 1.5]), ray)
    assert not enter <= leave


def test_a_turned_box_keeps_its_faces():
    turned = box(0, 0, 0, 1.0, 0.6, 0.8, GREY).moved(2.0, 2.5, 0.5)
    room = crafted(Thing("cabinet", (turned,)), camera=Camera((2, 0.5, 2.0), 0, -0.5, 1.2))
    maps = render.render(room, 96, 128)
    on_it = maps["instance"] == 6
    dx, dy, dz = (world(room, maps) - np.array([2.0, 2.5, 0.4])[:, None, None])[:, on_it]
    c, s = math.cos(0.5), math.sin(0.5)
    share = np.abs([(c * dx + s * dy) / 0.5, (c * dy - s * dx) / 0.3, dz / 0.4])
    assert on_it.sum() > 500
    assert np.abs(share.max(0) - 1).max() < 1e-4
    assert len(np.unique(maps["normals"][:, on_it].round(4), axis=1).T) == 3  # two sides and the top


def test_the_nearest_surface_hides_the_others():
    near, far = ball(2.0, 2.0, 1.2, 0.3, GREY), ball(2.0, 3.5, 1.0, 0.5, GREY)
    for order in ((near, far), (far, near)):
        maps = render.render(crafted(*(Thing("plant", (solid,)) for solid in order)), 48, 64)
        assert maps["depth"][24, 32] == pytest.approx(1.2, abs=0.01)
        assert maps["instance"][24, 32] == 6 + order.index(near)


def test_looking_only_where_a_solid_can_be_loses_nothing(monkeypatch):
    def everywhere(packed, height, width):
        return [(k, (0, height, 0, width)) for k in range(6, len(packed.shape))]

    culled = rooms(12)
    monkeypatch.setattr(tracing, "_windows", everywhere)
    assert same(culled, rooms(12))


def test_a_plate_under_the_lamp_casts_a_shadow():
    def floor_under_and_beside(casts):
        plate = Thing("table", (box(1.2, 2.5, 1.5, 0.6, 0.6, 0.02, GREY, casts),))
        shot = render.render(crafted(plate, camera=Camera((2.0, 0.2, 1.0), 0.0, -0.35, 1.4)), 96, 128)
        point = world(crafted(camera=Camera((2.0, 0.2, 1.0), 0.0, -0.35, 1.4)), shot)
        grey = shot["rgb"].mean(0)
        # The lamp at (2, 2.5, 2.9) throws the plate's shadow to x = 0.35 and its mirror image to x = 3.65.
        spots = [np.hypot(point[0] - x, point[1] - 2.5) < 0.15 for x in (0.35, 3.65)]
        return [grey[spot & (shot["instance"] == 4)].mean() for spot in spots]

    under, beside = floor_under_and_beside(True)
    assert under < 0.8 * beside
    under, beside = floor_under_and_beside(False)
    assert under == pytest.approx(beside, rel=0.02)


def test_what_hangs_behind_the_lamp_casts_no_shadow():
    def floor(casts):
        plate = Thing("table", (box(2.0, 2.5, 2.95, 2.0, 2.0, 0.02, GREY, casts),))
        shot = render.render(crafted(plate, camera=Camera((2.0, 0.2, 1.0), 0.0, -0.35, 1.4)), 48, 64)
        return shot["rgb"][:, shot["instance"] == 4]

    assert (floor(True) == floor(False)).all()


@pytest.mark.parametrize("name", textures.PATTERNS)
def test_patterns_mix_two_colours_and_fade_in_the_distance(name):
    rng = np.random.default_rng(0)
    u, v = rng.uniform(-3, 3, (2, 4000))
    a, b = rng.uniform(-1, 1, (2, 4000))
    share, tone = np.broadcast_arrays(*textures.mix(name, 0.3, u, v, a, b, np.full(4000, 0.01)))
    assert 0 <= share.min() <= share.max() <= 1
    assert 0 < tone.min() <= tone.max() < 2
    assert name == "plain" or share.std() + tone.std() > 0.05
    mean = textures.PATTERNS[name][1]
    if mean is not None:
        assert share.mean() == pytest.approx(mean, abs=0.06)
        far, even = np.broadcast_arrays(*textures.mix(name, 0.3, u, v, a, b, np.full(4000, 0.5)))
        assert (far == mean).all()
        assert (even == 1).all()


def test_stripes_have_the_period_asked_for():
    u = np.linspace(0.0, 2.0, 2001)[:-1]
    share, _ = textures.mix("stripes", 0.4, u, 0 * u, 0 * u, 0 * u, 0 * u)
    assert np.abs(np.diff(share)).sum() == 2 * 2.0 / 0.4 - 1


def test_every_instance_has_one_class(some):
    faces = {0: "wall", 1: "wall", 2: "wall", 3: "wall", 4: "floor", 5: "ceiling"}
    for i in range(len(some)):
        room = scene(0, i)
        for number in some.instance[i].unique().tolist():
            label = faces.get(number) or room.things[number - 6].label
            assert (some.semantic[i][some.instance[i] == number] == CLASSES.index(label)).all()


def test_the_object_is_the_furniture_with_the_most_pixels(some):
    for semantic, chosen in zip(some.semantic, some.object):
        counts = {name: int((semantic == CLASSES.index(name)).sum()) for name in some.objects[:-1]}
        name = some.objects[chosen]
        assert max(counts.values()) == (0 if name == "nothing" else counts[name])


@pytest.mark.parametrize("name", KINDS)
def test_every_piece_finds_its_place_in_an_empty_hall(name):
    rng, hall = Random(0), (8.0, 8.0, 3.0)
    eye = Camera((4.0, 0.5, 1.5), 0.0, 0.0, 1.2)
    listed = KINDS[name]
    for pieces, how in ((listed.against, "against"), (listed.free, "free"), (listed.flat, "flat")):
        for builder, chance in pieces:
            assert 0 < chance <= 1
            for _ in range(5):
                room = Room(rng, hall, eye)
                getattr(room, how)(builder(rng, look(rng)))
                assert room.things, builder.__name__


def test_what_makes_a_kind_of_room_is_in_it():
    chief = {"bathroom": "bathroom-fixture", "bedroom": "bed", "corridor": "door"}
    chief |= {"kitchen": "cabinet", "living-room": "sofa", "office": "table"}
    there = {name: [] for name in chief}
    for index in range(150):
        room = scene(1, index)
        there[room.kind].append(chief[room.kind] in {thing.label for thing in room.things})
    assert all(np.mean(found) > 0.9 for found in there.values())


def test_the_kind_of_room_decides_the_furniture():
    found = {}
    for index in range(120):
        room = scene(0, index)
        found.setdefault(room.kind, set()).update(thing.label for thing in room.things)
    assert [kind for kind, labels in found.items() if "bathroom-fixture" in labels] == ["bathroom"]
    assert [kind for kind, labels in found.items() if "bed" in labels] == ["bedroom"]
    assert [kind for kind, labels in found.items() if "sofa" in labels] == ["living-room"]


def test_things_stand_inside_the_room_and_not_on_the_camera():
    for index in range(100):
        room = scene(3, index)
        eye = np.array(room.camera.position)
        for thing in room.things:
            for low, high in (solid.extent() for solid in thing.solids):
                assert (np.array(low) > -1e-6).all()
                assert (np.array(high) < np.array(room.size) + 1e-6).all()
                left, right, back, ahead = eye[0] - 0.4, eye[0] + 0.4, eye[1] - 0.4, eye[1] + 0.85
                near = low[0] < right and high[0] > left and low[1] < ahead and high[1] > back
                assert thing.label in {"rug", "lamp"} or not near


def test_the_light_is_exposed_alike_in_every_room(some):
    means = some.rgb.float().mean((1, 2, 3))
    assert 70 < means.min() < means.max() < 190
    dim = replace(crafted(), light=Light((2.0, 2.5, 2.9), (0.5, 0.5, 0.5), 0.0, 0.01))
    bright, darker = (render.render(room, 24, 32)["rgb"].astype(int) for room in (crafted(), dim))
    assert np.abs(bright - darker).max() <= 1  # a tenth of the light, a longer exposure


def test_rooms_give_the_labels_of_all_fifteen_tasks(some):
    labels = some.labels()
    assert list(labels) == [task.name for task in task_labels.TASKS]
    for task in task_labels.TASKS:
        label = labels[task.name]
        if task.kind == "regression":
            assert label.shape == (40, task.channels, 48, 64)
            assert label.dtype == torch.float32
            assert torch.isfinite(label).all()
            assert -1.0001 <= label.min() <= label.max() <= 1.0001
            assert label.std() > 0.02  # there is something to learn
        else:
            assert label.dtype == torch.int64
    assert list(some.labels(["Depth"])) == ["Depth"]


@pytest.mark.parametrize(
    ("asked", "options", "error", "message"),
    [
        (0, {}, ValueError, "at least 1"),
        ([], {}, ValueError, "no room"),
        ([3, -1], {}, ValueError, "index must be at least 0"),
        ([0.5], {}, TypeError, "an index must be an int"),
        (True, {}, TypeError, "must be an int"),
        (1, {"size": (4, 64)}, ValueError, "at least 8"),
        (1, {"samples": 0}, ValueError, "samples must be at least 1"),
        (1, {"seed": "a"}, TypeError, "seed must be an int"),
    ],
)
def test_bad_requests_are_named(asked, options, error, message):
    with pytest.raises(error, match=message):
        rooms(asked, **options)
