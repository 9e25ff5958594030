import io

import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

from lib.base import style


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_no_two_series_share_a_cue():
    for cue in ("color", "linestyle", "marker"):
        assert len({str(look[cue]) for look in style.SERIES}) == len(style.SERIES)


def test_lines_and_small_print_stand_out_on_white():
    contrast = {name: 1.05 / (luminance(colour) + 0.05) for name, colour in style.PALETTE.items()}
    assert contrast["grey"] > 4.5  # WCAG AA for small text
    used = {look["color"] for look in style.SERIES}
    assert all(contrast[name] > 2 for name, colour in style.PALETTE.items() if colour in used)


def test_every_text_is_at_least_nine_points():
    fig, axes = style.figure(2, 2, sharex=True)
    for index, ax in enumerate(axes.flat):
        style.band(ax, [0, 1], [0, 1], [1, 2], [2, 3], label="tau", **style.series(index))
        ax.set(title="title", xlabel="t", ylabel="loss")
        ax.legend()
    style.stamp(fig, "quick: generated data, 5 seeds, cpu " * 5)
    fig.draw_without_rendering()
    written = [text for text in fig.findobj(Text) if text.get_text()]
    assert len(written) > 20
    assert min(text.get_fontsize() for text in written) >= style.SMALLEST


def test_the_stamp_does_not_touch_the_axes():
    fig, ax = style.figure()
    ax.set_xlabel("t")
    style.stamp(fig, "quick: generated data, 5 seeds, cpu " * 8)
    fig.draw_without_rendering()
    strip = fig.texts[-1].get_window_extent()
    assert strip.y1 <= ax.xaxis.label.get_window_extent().y0
    assert strip.y0 >= 0
    assert strip.x1 <= fig.bbox.x1


def test_the_figure_is_shown_once_and_can_be_saved():
    fig, ax = style.figure()
    ax.plot([0, 1], [0, 1], **style.series(0, markevery=1))
    assert not plt.get_fignums()  # pyplot has forgotten it: the inline backend would show it twice
    target = io.BytesIO()
    fig.savefig(target)
    assert target.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("call", [lambda: style.figure(0), lambda: style.series(7), lambda: style.series(-1)])
def test_bad_input_is_named(call):
    with pytest.raises(ValueError, match="must be"):
        call()


def test_an_empty_stamp_is_refused():
    with pytest.raises(ValueError, match="caption"):
        style.stamp(style.figure()[0], " ")
