import io
import pickle

import numpy as np
import pytest
import torch
from packed import picture, tar
from PIL import Image

from lib.data import registry, rooms
from lib.data.formats.pixels import rgb
from lib.data.task_labels import TASKS, VOID


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def tiny_rooms(tiny, number=60, shuffle=False):
    generator = np.random.default_rng(0)
    truth, members = {}, [("nyuv2/train.txt", b"0\n")]
    for n in range(number):
        depth = generator.integers(72, 1017, (120, 160)).astype(np.uint16)
        label = generator.integers(0, 40, (120, 160)).astype(np.uint8)
        colour = picture(n, (160, 120))
        truth[n] = (rgb(colour), depth, label)
        members += [
            (f"nyuv2/rgb/{n:04d}.jpg", colour),
            (f"nyuv2/depth/{n:04d}.png", png(depth)),
            (f"nyuv2/label40/{n:04d}.png", png(label)),
        ]
    if shuffle:
        members = [members[i] for i in generator.permutation(len(members))]
    tiny("nyuv2", {"nyuv2.tar.gz": tar(members)}, number)
    return truth


@pytest.mark.parametrize("shuffle", [False, True])
def test_nyuv2_keeps_image_depth_and_classes_together(shuffle, tiny):
    truth = tiny_rooms(tiny, 5, shuffle)
    found = rooms.nyuv2()
    for row, frame in enumerate(found.frames.tolist()):
        colour, depth, label = truth[frame]
        np.testing.assert_array_equal(found.rgb[row], colour)
        np.testing.assert_array_equal(found.metres()[row], (depth / np.float32(102)).astype(np.float32))
        void = label == 39
        assert (found.classes[row].numpy()[void] == VOID).all()
        np.testing.assert_array_equal(found.classes[row].numpy()[~void], label[~void])


def test_two_folds_make_every_frame_a_test_frame_once():
    nothing = torch.zeros(60)
    found = rooms.Rooms(nothing, nothing, nothing, torch.arange(60))
    dealt = rooms.folds(found)
    assert sorted(torch.cat(dealt).tolist()) == list(range(60))
    blocks = [{int(found.frames[row]) // rooms.BLOCK for row in fold} for fold in dealt]
    assert not blocks[0] & blocks[1]


def test_a_missing_frame_is_noticed(tiny):
    tiny_rooms(tiny, 3)
    tiny("nyuv2", {"nyuv2.tar.gz": (registry.path("nyuv2")).read_bytes()}, 4)
    with pytest.raises(registry.Corrupt, match="has 3 frames, not 4"):
        rooms.nyuv2()


def table(skip=()):
    names = [task.published for task in TASKS]
    pairs = [(s, t) for s in names for t in names if (s, t) not in skip]
    return {f"{s}__{t}": np.float64(i) for i, (s, t) in enumerate(pairs)} | {
        "edge2d__edge3d__reshade": np.float64(-1)
    }


def as_csv(values, name="affinity_16k"):
    lines = ["table,order,source_tasks,target_task,value"]
    for key, value in values.items():
        *sources, target = key.split("__")
        lines.append(f"{name},{len(sources)},{'+'.join(sources)},{target},{float(value)!r}")
    return "\n".join(lines).encode()


def test_affinities_from_the_table_and_from_the_pickle_agree(tiny):
    values = table()
    tiny("taskonomy_affinity", {"a.csv": as_csv(values)}, len(values))
    tiny("taskonomy_pickles", {"all_affinities_16k.pkl": pickle.dumps(values, 2)}, len(values))
    assert rooms.affinities() == rooms.published()
    assert rooms.affinities()[("edge2d", "edge3d"), "reshade"] == -1
    square = rooms.first_order()
    assert square.shape == (15, 15)
    assert square[1, 0] == values["curvature__autoencoder"]  # source, target


def test_a_gap_in_the_table_is_named(tiny):
    values = table(skip={("curvature", "reshade")})
    tiny("taskonomy_affinity", {"a.csv": as_csv(values)}, len(values))
    with pytest.raises(ValueError, match="lacks 1 of the 225 pairs, first curvature to reshade"):
        rooms.first_order()
    with pytest.raises(ValueError, match="published tables are affinity_16k; got 'x'"):
        rooms.affinities("x")


def test_the_real_rooms():
    if not registry.present("nyuv2"):
        pytest.skip("nyuv2 is not here: python data_scripts/nyuv2.py --mirror FOLDER")
    found = rooms.nyuv2()
    assert found.rgb.shape == (1_449, 3, 120, 160)
    some = slice(None, None, 50)
    assert 0.5 < found.metres(some).min() < found.metres(some).max() < 10.5
    classes = found.classes[some]
    assert classes[classes != VOID].max() == 38
    assert sum(map(len, rooms.folds(found))) == 1_449
    assert min(map(len, rooms.folds(found))) > 700


def test_the_real_affinities():
    if not registry.present("taskonomy_affinity"):
        pytest.skip("taskonomy_affinity is not here: python data_scripts/taskonomy.py --mirror FOLDER")
    square = rooms.first_order()
    best = square.argmax(0) == torch.arange(15)
    assert best.sum() >= 14  # the task's own network is the best source for nearly every target
