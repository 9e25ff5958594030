"""What a depth image says about surfaces: distances, normals, principal curvatures, under a pinhole camera.

Camera frame: x to the right, y up, z towards the viewer; a pixel at depth z is the point z (x, y, -1).
``focal`` is in pixels, a float or one for each image (N,); ``centre`` is the principal point (x, y) in pixels
from the upper left corner, the image's middle if None. The centre of the first pixel is (0.5, 0.5).

On a plane 1/depth is linear in x and y. That makes its slopes exact there, whatever the window.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Centre = tuple[float, float] | None

# Colour camera of NYU Depth v2 at 640 x 480, from the toolbox of its authors; the two focal lengths, 518.86
# and 519.47, differ by a thousandth. The frames are cropped to 560 x 420 from (41, 45) on, then shrunk.
NYUV2_FOCAL, NYUV2_CENTRE = 519.2, (325.58, 253.74)
NYUV2_CROP, NYUV2_CROPPED = (41, 45), (560, 420)

JUMP = 0.05  # neighbours whose depths differ by much more than this share lie on different surfaces


def nyuv2_camera(height: int, width: int) -> tuple[float, tuple[float, float]]:
    """(focal, centre) of a cropped NYUv2 frame resized to height x width; ValueError unless that is 3 : 4."""
    if 4 * height != 3 * width:
        raise ValueError(
            f"a cropped NYUv2 frame is 3 : 4, not {height} : {width}: resize it without distortion"
        )
    scale = width / NYUV2_CROPPED[0]
    x, y = ((c - start) * scale for c, start in zip(NYUV2_CENTRE, NYUV2_CROP))
    return NYUV2_FOCAL * scale, (x, y)


def grid(depth: Tensor, focal: float | Tensor, centre: Centre = None) -> tuple[Tensor, Tensor]:
    """x (N, 1, W) and y (N, H, 1) of the rays (x, y, -1) through the pixel centres.

    Raises ValueError unless depth is (N, H, W), floating and positive, and focal is positive, one or N.
    """
    if depth.ndim != 3 or not depth.is_floating_point() or not bool((depth > 0).all()):
        found = f"{depth.dtype} {tuple(depth.shape)}"
        raise ValueError(f"depth must be a positive float (N, H, W) in metres, not {found}")
    number, height, width = depth.shape
    f = torch.as_tensor(focal, dtype=depth.dtype, device=depth.device).reshape(-1, 1, 1)
    if len(f) not in (1, number) or not bool((f > 0).all()):
        raise ValueError(f"focal must be positive, one or {number}, in pixels; got {focal}")
    cx, cy = centre if centre is not None else (width / 2, height / 2)
    across = torch.arange(width, dtype=depth.dtype, device=depth.device) + 0.5 - cx
    down = torch.arange(height, dtype=depth.dtype, device=depth.device) + 0.5 - cy
    return (across / f).expand(number, 1, width), (-down[:, None] / f).expand(number, height, 1)


def distance(depth: Tensor, focal: float | Tensor, centre: Centre = None) -> Tensor:
    """Euclidean distance z sqrt(1 + x^2 + y^2), (N, H, W)."""
    x, y = grid(depth, focal, centre)
    return depth * (1 + x**2 + y**2).sqrt()


def points(depth: Tensor, focal: float | Tensor, centre: Centre = None) -> Tensor:
    """Points z (x, y, -1) in the camera frame, (N, 3, H, W)."""
    x, y = grid(depth, focal, centre)
    return torch.stack([depth * x, depth * y, -depth], 1)


def normals(
    depth: Tensor, focal: float | Tensor, centre: Centre = None, *, radius: int = 1, jump: float = JUMP
) -> Tensor:
    """Unit normals towards the viewer, (N, 3, H, W), from w = 1/z: n ~ (-w_x, -w_y, w - x w_x - y w_y).

    The slopes are least squares over a window of 2 radius + 1 pixels. A neighbour weighs less the more its w
    differs, exp(-(difference / (jump w))^2), so that other surfaces do not count. Exact on planes; a larger
    radius smooths noisy or coarse depth. Raises ValueError for a radius below 1 or bad depth or focal.
    """
    if radius < 1:
        raise ValueError(f"radius must be at least 1, not {radius}")
    x, y = grid(depth, focal, centre)
    w = 1 / depth
    # Slopes a pixel, then a unit of x or y. Rows go down, y goes up.
    across, down = _slopes(w, radius, jump)
    step = x[:, :, 1:2] - x[:, :, :1]
    wx, wy = across / step, -down / step
    return F.normalize(torch.stack([-wx, -wy, w - x * wx - y * wy], 1), dim=1)


def _slopes(w: Tensor, radius: int, jump: float) -> tuple[Tensor, Tensor]:
    """Weighted least-squares slopes of w, along columns and along rows, both (N, H, W)."""
    side = 2 * radius + 1
    padded = F.pad(w[:, None], (radius,) * 4, value=float("nan"))
    around = F.unfold(padded, side).reshape(len(w), side * side, *w.shape[1:]) - w[:, None]
    inside = ~around.isnan()
    around = torch.where(inside, around, 0)
    weight = torch.exp(-((around / (jump * w[:, None])) ** 2)) * inside
    offset = torch.arange(-radius, radius + 1, dtype=w.dtype, device=w.device)
    v, u = (o.reshape(-1, 1, 1) for o in torch.meshgrid(offset, offset, indexing="ij"))
    uu, vv, uv = ((weight * p).sum(1) for p in (u * u, v * v, u * v))
    ud, vd = (weight * u * around).sum(1), (weight * v * around).sum(1)
    det = (uu * vv - uv * uv).clamp_min(
        1e-9
    )  # 0 only for a pixel unlike all its neighbours: it gets no slope
    return (vv * ud - uv * vd) / det, (uu * vd - uv * ud) / det


def curvature(
    depth: Tensor, normal: Tensor, focal: float | Tensor, centre: Centre = None, *, jump: float = JUMP
) -> Tensor:
    """Principal curvatures in 1/m, (N, 2, H, W), larger first, convex positive: 1/r on a ball of radius r.

    Eigenvalues of the shape operator I^-1 II with I = P_i . P_j and II = P_i . n_j by central differences.
    Zero at occlusions, above twice ``jump``: where the view of a surface ends it does not bend.
    """
    surface = points(depth, focal, centre)
    (pv, pu), (nv, nu) = (torch.gradient(field, dim=(2, 3)) for field in (surface, normal))
    e, f, g = ((a * b).sum(1) for a, b in ((pu, pu), (pu, pv), (pv, pv)))
    l, m, n = (pu * nu).sum(1), ((pu * nv).sum(1) + (pv * nu).sum(1)) / 2, (pv * nv).sum(1)
    det = (e * g - f * f).clamp_min(1e-20)
    mean, gauss = (e * n - 2 * f * m + g * l) / (2 * det), (l * n - m * m) / det
    spread = (mean**2 - gauss).clamp_min(0).sqrt()
    return torch.stack([mean + spread, mean - spread], 1) * (occlusion(depth) < 2 * jump)[:, None]


def occlusion(depth: Tensor) -> Tensor:
    """How much farther what lies behind an edge is, as a share: about 1 - z_near / z_far there, (N, H, W).

    The second difference of 1/z, across or down, over the largest 1/z involved: 0 on a plane however slanted,
    little at a crease.
    """
    w = F.pad(1 / depth[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    here, across, down = w[:, 1:-1, 1:-1], w[:, 1:-1], w[:, :, 1:-1]
    bends = []
    for low, high, axis in ((across[:, :, :-2], across[:, :, 2:], 2), (down[:, :-2], down[:, 2:], 1)):
        bend = (low - 2 * here + high).abs() / torch.maximum(torch.maximum(low, high), here)
        edge = [0, bend.shape[axis] - 1]  # a border pixel has no neighbour on one side
        bends.append(bend.index_fill(axis, torch.tensor(edge, device=bend.device), 0))
    return torch.maximum(*bends)
