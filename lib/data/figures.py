"""Tables and contact sheets of the data sets: what is here, what it holds, what it looks like.

A set that is not here is one printed sentence that says how to get it, and None. What is printed gets no
figure caption in the book, so that no empty figure is numbered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from lib.base import style
from lib.base.tables import Table
from lib.data import faces, images, registry, rooms, text
from lib.data.drawn import faces as album
from lib.data.drawn import rooms as world
from lib.data.task_labels import VOID

FORTY = ListedColormap([colormaps[name](i) for name in ("tab20", "tab20b") for i in range(20)])

PEOPLE, ROOMS = 6, 4  # drawn ones shown
EXPERIMENTS = {"images": "4.2", "text": "4.2", "attributes": "4.3", "tasks": "4.4"}

Load = Callable[[], images.Split | text.Split]
PICTURED: dict[str, Callable[[], images.Split]] = {
    "digits": images.digits,
    "cifar10_jpg": images.cifar10,
    "cifar10": lambda: images.cifar10("original"),
    "tinyimagenet32": images.tiny_imagenet32,
    "natural_images": images.natural_images,
    "stl10": images.stl10,
}


def entries(experiment: str, here: dict[str, str | None]) -> Table:
    """The data sets of one experiment: what each is, whether it is here, its licence."""
    rows: list[list[Any]] = []
    for d in registry.for_use(experiment):
        presets = [use.partition("/")[2] for use in d.used_by if use.startswith(f"{experiment}/")]
        rows.append([d.name, d.what, d.items, here[d.name] is not None, ", ".join(presets), d.licence])
    columns = ["name", "what", "items", "here", "preset", "licence and terms"]
    return Table(columns, rows, caption=f"Data of section {EXPERIMENTS[experiment]}, {experiment}")


def differences() -> Table:
    """What each set lacks against the original, and which known flaws its loader handles."""
    told = (d for d in registry.CATALOGUE.values() if d.lacks or d.flaws)
    columns = ["name", "lacks, against the original", "known flaws, and what is done"]
    return Table(columns, [[d.name, d.lacks or "–", d.flaws or "–"] for d in told])


def counts(here: dict[str, str | None]) -> Table:
    """How many items of each class every part has, for the labelled sets that are here."""
    loads: dict[str, Load] = {**PICTURED, **{name: partial(text.load, name) for name in text.SETS}}
    rows = [_counted(name, load()) for name, load in loads.items() if here[name]]
    if here["vader"]:
        rows += [_counted(f"vader, {domain}", text.vader(domain)) for domain in text.DOMAINS]
    columns = ["data set", "classes", "train a class", "valid a class", "test a class"]
    return Table(columns, rows, caption="Items a class in the frozen split of what is here")


def people(here: dict[str, str | None]) -> Table | None:
    """Faces and people of each part, and the rarest attributes; None if CelebA is not here."""
    if _absent("celeba_299", here):
        return None
    split = faces.celeba()
    rows = []
    for name, part in (("train", split.train), ("test", split.test)):
        rarest = sorted(faces.balance(part).items(), key=lambda item: item[1])[:3]
        listed = ", ".join(f"{attribute} {100 * share:.1f} %" for attribute, share in rarest)
        rows.append([name, len(part), len(part.identities.unique()), listed])
    columns = ["part", "faces", "people", "rarest attributes"]
    return Table(columns, rows, caption="CelebA, 299 identities, split by people")


def sheet(name: str, here: dict[str, str | None], *, pictures: int = 8) -> Figure | None:
    """Contact sheet of one image set: a row a class, the first test images of each; None if it is not here.

    Raises ValueError for a set whose terms do not allow showing it.
    """
    if not registry.get(name).shown or name not in PICTURED:
        raise ValueError(f"{name} is not shown in the book; these are: {', '.join(PICTURED)}")
    if _absent(name, here):
        return None
    part = PICTURED[name]().test
    fig, ax = style.figure(height=max(2.2, 7.0 * len(part.classes) / (pictures + 3)))
    _montage(ax, part, pictures)
    return style.stamp(fig, _stamp(name, f"the first {pictures} test images of each class"))


def targets(here: dict[str, str | None], *, pictures: int = 8) -> Figure | None:
    """The two four-class targets made of Tiny-ImageNet."""
    if _absent("tinyimagenet32", here):
        return None
    split = images.tiny_imagenet32()
    fig, axes = style.figure(2, 1, height=6.2)
    for ax, (name, groups) in zip(axes, images.TARGETS["tiny_imagenet32"].items()):
        _montage(ax, images.mixture(split, groups).test, pictures)
        ax.set_title(f"target: {name}")
    return style.stamp(fig, _stamp("tinyimagenet32", f"the first {pictures} test images of each label"))


def scenes(here: dict[str, str | None], *, pictures: int = 4) -> Figure | None:
    """Rooms of NYU Depth v2 with depth and classes; void pixels are white."""
    if _absent("nyuv2", here):
        return None
    found = rooms.nyuv2()
    shown = found.select(torch.linspace(0, len(found) - 1, pictures).round().long())
    fig, axes = style.figure(3, pictures, height=4.4, squeeze=False)
    depth = shown.metres()
    for column in range(pictures):
        classes = np.ma.masked_equal(shown.classes[column].numpy(), VOID)
        axes[0, column].imshow(shown.rgb[column].permute(1, 2, 0))
        far = axes[1, column].imshow(depth[column], vmin=0, vmax=depth.max())
        axes[2, column].imshow(classes, cmap=FORTY, vmin=0, vmax=39, interpolation="nearest")
        axes[0, column].set_title(f"frame {int(shown.frames[column])}")
    for ax, title in zip(axes[:, 0], ("image", "depth", "classes")):
        ax.set_ylabel(title)
    for ax in axes.flat:
        style.bare(ax)
    fig.colorbar(far, ax=axes[1, :].tolist(), label="metres")
    return style.stamp(fig, _stamp("nyuv2", "evenly spaced frames"))


def drawn_faces(*, pictures: int = 8) -> Figure:
    """A row a person, ``pictures`` moments each."""
    drawn = album.faces(range(PEOPLE), pictures, size=96)
    fig, ax = style.figure(height=7.0 * PEOPLE / pictures)
    grid = drawn.images.reshape(PEOPLE, pictures, *drawn.images.shape[1:])
    ax.imshow(grid.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1))
    style.bare(ax)
    return style.stamp(fig, f"generated: {PEOPLE} people who do not exist, {pictures} images each · seed 0")


def drawn_rooms() -> Figure:
    """Rooms, and what is known exactly of each pixel: depth, normal, instance, class."""
    drawn = world.rooms(ROOMS, size=(96, 128))
    rows = {
        "image": drawn.rgb.permute(0, 2, 3, 1),
        "depth": drawn.depth,
        "normal": ((drawn.normals.permute(0, 2, 3, 1) + 1) / 2).clamp(0, 1),
        "instance": drawn.instance % 20,
        "class": drawn.semantic,
    }
    fig, axes = style.figure(len(rows), ROOMS, height=1.35 * len(rows), squeeze=False)
    for line, (name, maps) in zip(axes, rows.items()):
        for ax, picture in zip(line, maps):
            colours = "viridis" if name == "depth" else "tab20"
            ax.imshow(picture.numpy(), cmap=colours, interpolation="nearest")
            style.bare(ax)
        line[0].set_ylabel(name)
    for ax, scene in zip(axes[0], drawn.scene.tolist()):
        ax.set_title(drawn.scenes[scene])
    return style.stamp(fig, f"generated: {ROOMS} rooms, 128 x 96 pixels · seed 0")


def _montage(ax: Axes, part: images.Part, pictures: int) -> None:
    """A row a class, ``pictures`` images each, with a white line between them."""
    first = part.take(pictures)
    channels, height, width = first.images.shape[1:]
    grid = torch.full((len(part.classes), pictures, channels, height + 1, width + 1), 255, dtype=torch.uint8)
    for label, row in enumerate(grid):
        row[..., :height, :width] = first.images[first.labels == label]
    canvas = grid.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1).numpy()
    ax.imshow(canvas if channels == 3 else canvas[..., 0], cmap="gray")
    style.bare(ax)
    ax.set_yticks([(row + 0.5) * (height + 1) for row in range(len(part.classes))], part.classes)
    ax.tick_params(left=False)


def _absent(name: str, here: dict[str, str | None]) -> bool:
    """Whether a set is not here; if so, says it in print."""
    if here[name]:
        return False
    entry = registry.get(name)
    print(f"{entry.what} ({name}) is not here, and not shown. {registry.remedy(entry)}")
    return True


def _stamp(name: str, what: str) -> str:
    digest = registry.digest(name) or ""
    return f"{registry.get(name).what} · {what} · sha256 {digest[:12]} · no seed: the split is frozen"


def _counted(name: str, split: images.Split | text.Split) -> list[Any]:
    row = [name, len(split.classes)]
    for part in (split.train, split.valid, split.test):
        low, *_, high = sorted(part.counts().values())
        row.append(f"{low:,}" if low == high else f"{low:,} to {high:,}")
    return row
