"""The fifteen tasks of Fig. 4 and their labels, from an image, its depth, and what is in it (Sec. 4.4, G.4).

The same functions serve the rendered rooms, whose geometry is exact, and NYUv2, whose geometry comes from its
depth (:mod:`lib.data.depth_maps`). Every label is a fixed function of one image: nothing is scaled by an
image's own range. Where Taskonomy's definition could not be kept, the function says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from skimage import feature, filters, segmentation
from torch import Tensor

from lib.data import depth_maps

VOID = 255  # pixels of no class, left out of the loss
NEAREST, FARTHEST = 0.5, 10.0  # metres: the range of depth cameras, and of NYUv2


@dataclass(frozen=True)
class Task:
    """A task: its name in the paper, category, kind of output, channels (0: as many as classes).

    ``published`` is its name in the published tables, as Taskonomy lists them (StanfordVL/taskonomy,
    taskbank/tools/task_dict.txt, 63cef0c) and the authors' code has them.
    """

    name: str
    category: Literal["2D", "3D", "semantic"]
    kind: Literal["regression", "segmentation", "classification"]
    channels: int
    published: str


# Names, order and colours as the authors have them (Fig. 4: the first five 2D, seven 3D, three semantic).
# By its definition curvature is geometry; the authors count it as 2D.
TASKS: tuple[Task, ...] = (
    Task("Autoencoder", "2D", "regression", 3, "autoencoder"),
    Task("Curvature", "2D", "regression", 2, "curvature"),
    Task("Edge-2D", "2D", "regression", 1, "edge2d"),
    Task("Keypoint-2D", "2D", "regression", 1, "keypoint2d"),
    Task("Segmentation-2D", "2D", "regression", 3, "segment2d"),
    Task("Edge-3D", "3D", "regression", 1, "edge3d"),
    Task("Keypoint-3D", "3D", "regression", 1, "keypoint3d"),
    Task("Reshade", "3D", "regression", 1, "reshade"),
    Task("Depth", "3D", "regression", 1, "rgb2depth"),
    Task("Euclidean-Distance", "3D", "regression", 1, "rgb2mist"),
    Task("Surface-Normal", "3D", "regression", 3, "rgb2sfnorm"),
    Task("Segmentation-3D", "3D", "regression", 3, "segment25d"),
    Task("Segmentation-Semantic", "semantic", "segmentation", 0, "segmentsemantic_rb"),
    Task("Object-Classification", "semantic", "classification", 0, "class_1000"),
    Task("Scene-Classification", "semantic", "classification", 0, "class_places"),
)


def labels(
    rgb: Tensor,
    depth: Tensor,
    distance: Tensor,
    normals: Tensor,
    curvature: Tensor,
    focal: float | Tensor,
    centre: depth_maps.Centre = None,
    semantic: Tensor | None = None,
    object: Tensor | None = None,
    scene: Tensor | None = None,
    tasks: Sequence[str] | None = None,
) -> dict[str, Tensor]:
    """Task name -> label for N images: float32 (N, channels, H, W), int64 (N, H, W) or int64 (N,).

    ``tasks`` are the wanted ones; None means all that the given maps allow.
    Raises ValueError for an unknown task, or one whose map was not given.
    """
    makers: dict[str, Callable[[], Tensor] | None] = {
        "Autoencoder": lambda: autoencoder(rgb),
        "Curvature": lambda: bounded_curvature(curvature),
        "Edge-2D": lambda: edge_2d(rgb),
        "Keypoint-2D": lambda: keypoint_2d(rgb),
        "Segmentation-2D": lambda: segmentation_2d(rgb),
        "Edge-3D": lambda: edge_3d(depth),
        "Keypoint-3D": lambda: keypoint_3d(depth, normals),
        "Reshade": lambda: reshade(normals, depth, focal, centre),
        "Depth": lambda: log_metres(depth),
        "Euclidean-Distance": lambda: log_metres(distance),
        "Surface-Normal": lambda: normals.float(),
        "Segmentation-3D": lambda: segmentation_3d(depth, normals),
        "Segmentation-Semantic": None if semantic is None else semantic.long,
        "Object-Classification": None if object is None else object.long,
        "Scene-Classification": None if scene is None else scene.long,
    }
    known = [name for name, make in makers.items() if make is not None]
    if unknown := [name for name in tasks or () if name not in known]:
        raise ValueError(f"no label for {', '.join(unknown)}; the given maps allow {', '.join(known)}")
    return {name: make() for name, make in makers.items() if make and (tasks is None or name in tasks)}


def from_depth(
    depth: Tensor, focal: float | Tensor, centre: depth_maps.Centre = None, *, radius: int = 2
) -> dict[str, Any]:
    """The maps that :func:`labels` wants beside rgb, from depth (N, H, W) in metres: for real images.

    Normals are fitted over ``radius`` pixels. Curvature differentiates them once more and would show mostly
    noise: it starts from normals fitted over twice as many.
    """
    normals = depth_maps.normals(depth, focal, centre, radius=radius)
    smooth = depth_maps.normals(depth, focal, centre, radius=2 * radius)
    return {
        "depth": depth,
        "distance": depth_maps.distance(depth, focal, centre),
        "normals": normals,
        "curvature": depth_maps.curvature(depth, smooth, focal, centre),
        "focal": focal,
        "centre": centre,
    }


def autoencoder(rgb: Tensor) -> Tensor:
    """The image itself, (N, 3, H, W) in 0..1."""
    _check_rgb(rgb)
    return rgb.float() / 255


def bounded_curvature(curvature: Tensor) -> Tensor:
    """Principal curvatures k as r k / (1 + |r k|) with r = 25 cm, in -1..1: 1/2 on a ball of radius r."""
    scaled = 0.25 * curvature.float()
    return scaled / (1 + scaled.abs())


def edge_2d(rgb: Tensor) -> Tensor:
    """Canny's gradient magnitude (Gaussian, then Sobel) without its thinning, (N, 1, H, W) in 0..1."""
    return _each(_grey(rgb), lambda g: 4 * filters.sobel(filters.gaussian(g, 1.0)))


def keypoint_2d(rgb: Tensor) -> Tensor:
    """What SURF looks for, a large determinant of the Hessian, (N, 1, H, W) in 0..1: blobs and corners.

    Its root, so that it grows with contrast and not with its square. SURF approximates it by
    box filters and keeps its maxima over scales; this is the exact determinant at one small scale.
    """
    return _each(_grey(rgb), lambda g: 16 * _root(_hessian_determinant(g)))


def segmentation_2d(rgb: Tensor) -> Tensor:
    """Each pixel's segment as its mean colour, (N, 3, H, W) in 0..1; segments: Felzenszwalb and Huttenlocher.

    Taskonomy uses normalised cuts and an embedding whose distances tell segments apart. A mean colour can be
    learned by regression like the other labels; it fails to tell apart only segments of equal colour.
    """
    return _segment_means(_check_rgb(rgb).permute(0, 2, 3, 1).numpy() / 255.0, 80)


def edge_3d(depth: Tensor) -> Tensor:
    """Occlusion edges, from depth alone: the share by which the surface behind is farther.

    (N, 1, H, W) in 0..1: shares below .05 count as none (creases), above .45 as 1.
    """
    return ((depth_maps.occlusion(depth.float()) - 0.05) / 0.4).clamp(0, 1)[:, None]


def keypoint_3d(depth: Tensor, normals: Tensor) -> Tensor:
    """Corners of the geometry: the smaller eigenvalue of the structure tensor of normals and log depth.

    Its root, (N, 1, H, W) in 0..1. Taskonomy uses NARF, which ranks points of a range image by how the
    surface changes around them; this asks for change in two directions in the manner of Harris.
    """
    maps = torch.cat([normals, 2 * depth.log()[:, None]], 1).permute(0, 2, 3, 1)
    return _each(maps.double().numpy(), lambda m: 0.35 * _root(_smaller_eigenvalue(m)))


def reshade(
    normals: Tensor, depth: Tensor, focal: float | Tensor, centre: depth_maps.Centre = None
) -> Tensor:
    """A white room lit by a lamp at the camera: Lambert's cosine of normal and view, (N, 1, H, W) in 0..1."""
    toward = torch.nn.functional.normalize(-depth_maps.points(depth, focal, centre), dim=1)
    return (normals * toward).sum(1, keepdim=True).clamp(0, 1).float()


def log_metres(metres: Tensor) -> Tensor:
    """Depth or distance on a logarithmic scale from 0 at half a metre to 1 at ten, clipped, (N, 1, H, W)."""
    return ((metres.float() / NEAREST).log() / math.log(FARTHEST / NEAREST)).clamp(0, 1)[:, None]


def segmentation_3d(depth: Tensor, normals: Tensor) -> Tensor:
    """Each pixel's surface as its mean (n_x, n_y, log depth), each in 0..1, (N, 3, H, W).

    Segments as in 2D, of geometry instead of colour. Taskonomy's "2.5D" uses colours as well, normalised cuts
    and an embedding.
    """
    maps = torch.cat([(normals[:, :2] + 1) / 2, log_metres(depth)], 1)
    return _segment_means(maps.permute(0, 2, 3, 1).double().numpy(), 60)


def dominant(semantic: Tensor, among: Sequence[int]) -> Tensor:
    """Which of the classes ``among`` has the most pixels, int64 (N,) into it; its length if none has."""
    counts = torch.stack([(semantic == c).flatten(1).sum(1) for c in among], 1)
    return torch.where(counts.amax(1) > 0, counts.argmax(1), len(among))


def _hessian_determinant(grey: np.ndarray) -> np.ndarray:
    rr, rc, cc = feature.hessian_matrix(grey, 1.5, mode="nearest", order="rc", use_gaussian_derivatives=False)
    return cast(np.ndarray, rr * cc - rc**2)


def _smaller_eigenvalue(maps: np.ndarray) -> np.ndarray:
    smooth = filters.gaussian(maps, 1.0, channel_axis=2)  # the stairs of a slanted edge are no corners
    tensors = [
        feature.structure_tensor(channel, sigma=1.0, mode="nearest", order="rc")
        for channel in np.moveaxis(smooth, 2, 0)
    ]
    rr, rc, cc = (sum(parts) for parts in zip(*tensors))
    return cast(np.ndarray, (rr + cc) / 2 - np.sqrt(((rr - cc) / 2) ** 2 + rc**2))


def _root(response: np.ndarray) -> np.ndarray:
    return cast(np.ndarray, np.sqrt(np.maximum(response, 0)))


def _segment_means(images: np.ndarray, scale: float) -> Tensor:
    """(N, H, W, C) -> (N, C, H, W): the mean of each segment in its pixels."""
    return torch.stack([_painted(image, scale) for image in images])


def _painted(image: np.ndarray, scale: float) -> Tensor:
    least = max(4, image.shape[0] * image.shape[1] // 200)  # pixels a segment, at least
    segments = segmentation.felzenszwalb(image, scale=scale, sigma=0.6, min_size=least).ravel()
    pixels = image.reshape(-1, image.shape[2])
    counts = np.bincount(segments)
    means = np.stack([np.bincount(segments, channel) / counts for channel in pixels.T], 1)
    return torch.from_numpy(means[segments].reshape(image.shape)).permute(2, 0, 1).float()


def _each(maps: np.ndarray, label: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack([label(image) for image in maps])).float().clamp(0, 1)[:, None]


def _grey(rgb: Tensor) -> np.ndarray:
    weights = torch.tensor([0.2126, 0.7152, 0.0722], dtype=torch.float64)
    return (torch.einsum("c,nchw->nhw", weights, _check_rgb(rgb).double()) / 255).numpy()


def _check_rgb(rgb: Tensor) -> Tensor:
    if rgb.dtype != torch.uint8 or rgb.ndim != 4 or rgb.shape[1] != 3:
        raise ValueError(f"rgb must be uint8 (N, 3, H, W), not {rgb.dtype} {tuple(rgb.shape)}")
    return rgb
