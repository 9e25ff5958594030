import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d

from lib.data.drawn.faces import NAMES, chance, faces, head, sitters
from lib.data.pairs import verification_pairs

PERSONAL = ("Bald", "Blond_Hair", "Male", "Young")
GOLDEN = "b0c2b66ecea2737ae00181585c5d0729d66171cc020b1155fdec8d3170a26c7b"


# Seven images: their digest, and a program that prints it without importing torch.
DIGEST = """
import hashlib
import numpy as np
from lib.data.pairs import verification_pairs
from lib.data.drawn.faces import scene
person, number = np.array([0, 0, 7, 7, 7, 2**40, 3]), np.array([0, 1, 0, 1, 9, 0, 0])
pictures, labels = scene.album(5, person, number, 48, {})
print(hashlib.sha256(pictures.tobytes() + labels.tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def crowd():
    """Forty people, ten images each."""
    return faces(range(40), 10)


def test_shapes_types_and_ranges(crowd):
    assert crowd.images.shape == (400, 3, 48, 48)
    assert crowd.images.dtype == torch.uint8
    assert crowd.identity.tolist() == [k for k in range(40) for _ in range(10)]
    assert crowd.attributes.shape == (400, len(NAMES))
    assert crowd.attributes.dtype == torch.bool
    assert crowd.names == NAMES
    assert len(crowd) == 400
    burnt = ((crowd.images == 255) | (crowd.images == 0)).float().mean()
    assert burnt < 0.02
    level = crowd.images.float().mean((1, 2, 3))
    assert 40 < level.min() < level.max() < 225
    assert crowd.images.float().std((1, 2, 3)).min() > 15


@pytest.mark.parametrize("vectors", [True, False])
def test_the_same_images_on_every_machine(vectors):
    fast = np.__config__.CONFIG.get("SIMD Extensions", {}).get("found", [])
    environment = os.environ | ({} if vectors else {"NPY_DISABLE_CPU_FEATURES": " ".join(fast)})
    command = [sys.executable, "-W", "ignore", "-c", DIGEST]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert out.strip() == GOLDEN


@pytest.mark.parametrize("size", [48, 33])
def test_an_image_depends_on_nothing_but_its_seed_person_and_number(size):
    together = faces([4, 11, 2], 20, size=size, seed=3)
    alone = faces([2], 5, size=size, seed=3)
    assert torch.equal(together.images[40:45], alone.images)
    assert torch.equal(together.attributes[40:45], alone.attributes)


def test_seeds_and_people_differ():
    first, other = faces([0, 1], 2), faces([0, 1], 2, seed=1)
    assert len({image.numpy().tobytes() for r in (first, other) for image in r.images}) == 8


def test_sizes_show_the_same_picture():
    small, large = faces(range(6), 2, size=48), faces(range(6), 2, size=96)
    shrunk = avg_pool2d(large.images.float(), 2)
    assert torch.equal(small.attributes, large.attributes)
    assert (shrunk - small.images).abs().mean() < 6
    assert faces([0], 1, size=32).images.shape[-1] == 32


def test_what_belongs_to_a_person_stays_and_the_rest_varies(crowd):
    for name in NAMES:
        by_person = crowd.attribute(name).view(40, 10).float().mean(1)
        constant = ((by_person == 0) | (by_person == 1)).all()
        assert constant == (name in PERSONAL), name


def test_shares_and_correlations():
    _, values = sitters.sit(0, np.arange(5000), np.zeros(5000, int), {})
    has = dict(zip(NAMES, values.T))
    shares = values.mean(0)
    assert ((shares > 0.10) & (shares < 0.85)).all(), dict(zip(NAMES, shares))
    assert not (has["Bald"] & has["Wearing_Hat"]).any()
    for name in ("Bald", "Mustache"):
        assert has["Male"][has[name]].all()
    assert not has["Male"][has["Wearing_Lipstick"]].any()
    assert has["Young"][has["Blond_Hair"]].all()
    opens = has["Mouth_Slightly_Open"]
    assert opens[has["Smiling"]].mean() > opens[~has["Smiling"]].mean() + 0.3


@pytest.mark.parametrize("name", NAMES)
def test_one_attribute_changes_one_label_and_the_picture(name):
    drawn = faces(range(12), 1)
    off, on = (faces(range(12), 1, fixed={name: value}) for value in (False, True))
    column = NAMES.index(name)
    assert on.attribute(name).all()
    assert not off.attribute(name).any()
    others = [k for k in range(len(NAMES)) if k != column]
    assert torch.equal(on.attributes[:, others], drawn.attributes[:, others])
    kept = torch.where(drawn.attribute(name)[:, None, None, None], on.images, off.images)
    assert torch.equal(kept, drawn.images)
    changed = (on.images.int() - off.images.int()).abs().amax((1, 2, 3))
    assert changed.min() > 15, changed


# What a change may not touch, as rows of an image of 100: the poses shift everything by a few of them.
ELSEWHERE = {
    "Arched_Eyebrows": [(0, 18), (58, 100)],
    "Eyeglasses": [(0, 25), (75, 100)],
    "Mouth_Slightly_Open": [(0, 35)],
    "Mustache": [(0, 45), (85, 100)],
    "No_Beard": [(0, 35)],
    "Smiling": [(0, 35)],
    "Wearing_Hat": [(60, 100)],
    "Wearing_Lipstick": [(0, 55)],
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_attribute_touches_its_own_part_of_the_picture_only(name):
    off, on = (faces(range(40), 1, size=50, fixed={name: value}).images for value in (False, True))
    changed = (on != off).any(1)
    for first, last in ELSEWHERE[name]:
        assert not changed[:, first // 2 : last // 2].any(), (first, last)
    assert 0.005 < changed.float().mean() < 0.45


def test_pose_and_light_do_what_they_say():
    def picture(**given):
        s, _ = sitters.sit(0, np.arange(3), np.zeros(3, int), {})
        vars(s).update({k: np.full((3, 1, 1), v, np.float32) for k, v in given.items()})
        return s, head.look(s, 40)

    still = {"shift_x": 0, "shift_y": 0, "roll": 0, "pitch": 0}
    s, v = picture(**still, yaw=0)
    np.testing.assert_allclose(v.X, v.x, atol=1e-5)  # seen from the front, every point is where it appears
    _, left = picture(**still, yaw=-0.2)
    _, right = picture(**still, yaw=0.2)
    np.testing.assert_allclose(left.X[:, :, ::-1], -right.X, atol=1e-5)
    middle = (slice(None), 20, 20)
    assert (right.X[middle] < 0).all()  # turned to the right: the middle of the image shows the other cheek
    _, up = picture(**(still | {"pitch": 0.07}), yaw=0.1)
    for view in (v, left, up):
        inside = view.edge < -0.12
        p, _ = head.profile(view.Y, s.crown, view.chin, head.TOP, s.jaw)
        egg = view.X**2 / s.width**2 + view.Z**2 / (head.DEPTH * s.width) ** 2 + p
        np.testing.assert_allclose(egg[inside], 1, atol=1e-4)
        np.testing.assert_allclose(sum(n * n for n in view.normal)[inside], 1, atol=1e-4)
        (cy, sy), (cp, sp) = (
            view.yaw,
            view.pitch,
        )  # back to the camera: the point lies on the ray of its pixel
        np.testing.assert_allclose((cy * view.X + sy * view.Z)[inside], view.x[inside], atol=1e-5)
        seen = cp * view.Y - sp * (cy * view.Z - sy * view.X)
        np.testing.assert_allclose(seen[inside], view.y[inside], atol=5e-3)
    assert (up.Y[middle] > v.Y[middle]).all()  # looking up: the features rise


def test_the_lamp_brightens_its_own_side():
    rendered = faces(range(150), 1)
    s, _ = sitters.sit(0, np.arange(150), np.zeros(150, int), {})
    face = rendered.images[:, :, 20:34].float().mean((1, 2))
    difference = (face[:, 26:34].mean(1) - face[:, 14:22].mean(1)).numpy()
    assert np.corrcoef(difference, s.light_side.ravel())[0, 1] > 0.6


def test_hash_is_uniform_and_noise_is_standard():
    u = chance.uniform(0, "x", np.arange(300)[:, None], np.arange(300))
    assert 0 <= u.min() < u.max() < 1
    assert abs(u.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(u[:, 1:].ravel(), u[:, :-1].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(u[1:].ravel(), u[:-1].ravel())[0, 1]) < 0.02
    noise = chance.bell(chance.bits(0, "n", np.arange(60000)[None, :, None]))
    assert noise.shape == (1, 3, 60000, 1)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.01


def linear_scores(train, test):
    """Balanced accuracy of ridge regression from pixels to every attribute, on people it has not seen."""
    a, b = (r.images.flatten(1).float() / 255 for r in (train, test))
    mean, truth = a.mean(0), test.attributes
    y = 2 * train.attributes.float() - 1
    kernel = (a - mean) @ (a - mean).T + 30 * torch.eye(len(a))
    score = (b - mean) @ ((a - mean).T @ torch.linalg.solve(kernel, y - y.mean(0)))
    hit = ((score > 0) == truth).float()  # 0 lies between the classes' means, whatever their shares
    balanced = [(hit[truth[:, c], c].mean() + hit[~truth[:, c], c].mean()) / 2 for c in range(len(NAMES))]
    return dict(zip(NAMES, torch.stack(balanced).tolist()))


def test_attributes_can_be_learnt_from_pixels():
    scores = linear_scores(faces(range(120), 6, size=32), faces(range(120, 160), 6, size=32))
    assert min(scores.values()) > 0.54, scores
    assert sum(scores.values()) / len(scores) > 0.75, scores


def test_identity_shows_but_not_trivially(crowd):
    x = crowd.images.flatten(1).float()
    x = torch.nn.functional.normalize(x - x.mean(0), dim=1)
    generator = torch.Generator().manual_seed(0)
    pairs = verification_pairs(crowd.identity, 2000, generator=generator)
    cosine = (x[pairs.index[:, 0]] * x[pairs.index[:, 1]]).sum(1)
    right = ((cosine[:, None] > cosine.quantile(torch.linspace(0, 1, 50))) == pairs.same[:, None]).float()
    assert 0.6 < right.mean(0).max() < 0.85


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([], 1), ValueError, "at least one"),
        (([-1], 1), ValueError, "-1"),
        (([3, 4, 3], 1), ValueError, "identity 3 occurs twice"),
        (([0.5], 1), TypeError, "0.5"),
        (([True], 1), TypeError, "True"),
        (([0], 0), ValueError, "per_identity is 0"),
        (([0], "2"), TypeError, "per_identity"),
        (([0], 1, 15), ValueError, "16 to 512"),
        (([0], 1, 513), ValueError, "513"),
        (([0], 1, 48, None), TypeError, "seed"),
        (([0], 1, 48, 0, {"Glasses": True}), ValueError, "Eyeglasses"),
    ],
)
def test_bad_requests(arguments, error, message):
    named = dict(zip(("size", "seed", "fixed"), arguments[2:]))
    with pytest.raises(error, match=message):
        faces(*arguments[:2], **named)


def test_select_and_attribute(crowd):
    few = crowd.select(torch.tensor([5, 399]))
    assert few.identity.tolist() == [0, 39]
    assert torch.equal(few.attribute("Smiling"), crowd.attribute("Smiling")[[5, 399]])
    with pytest.raises(ValueError, match="no attribute 'Happy'"):
        crowd.attribute("Happy")
