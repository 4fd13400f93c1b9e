"""Window plans: each pixel once, with its context, on the network's grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from auxlens.engine.scene.window import Window, columns, plan

SIZES = st.integers(1, 70)


@pytest.mark.parametrize("in_columns", [False, True])
@given(SIZES, SIZES, st.integers(1, 40), st.integers(0, 20), st.sampled_from([1, 4, 8]), st.data())
def test_plan_covers_each_pixel_once_with_its_context(in_columns, height, width, tile, margin, stride, data):
    bounds = Window(0, 0, height, width)
    row, col = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    area = Window(row, col, data.draw(st.integers(1, height - row)), data.draw(st.integers(1, width - col)))
    covered = np.zeros((height, width), int)
    down = list(columns(area, bounds, tile, data.draw(st.integers(1, 40)), margin, stride)) if in_columns else []
    for column in down:
        rows = [(piece.core.row, piece.core.row_end) for piece in column]
        assert [end for _, end in rows[:-1]] == [start for start, _ in rows[1:]]
        assert len({(piece.chip.col, piece.chip.width) for piece in column}) == 1
    for piece in [p for c in down for p in c] if in_columns else plan(area, bounds, tile, margin, stride):
        covered[piece.core.slices] += 1
        assert piece.chip.row % stride == 0 and piece.chip.col % stride == 0
        assert piece.chip.intersection(bounds) == piece.chip
        context = piece.core.expanded(margin).intersection(bounds)
        assert context.intersection(piece.chip) == context
    expected = np.zeros((height, width), int)
    expected[area.slices] = 1
    assert (covered == expected).all()


@given(*(st.builds(Window, *(st.integers(-5, 5),) * 2, *(st.integers(0, 5),) * 2) for _ in range(2)))
def test_windows_overlap_where_they_have_common_pixels(a, b):
    if min(a.height, a.width, b.height, b.width) > 0:
        common = a.intersection(b)
        assert a.overlaps(b) == b.overlaps(a) == bool(common.height and common.width)


def test_intersection_of_windows_apart_is_empty():
    apart = Window(0, 0, 4, 4).intersection(Window(10, 2, 3, 3))
    assert apart.height == 0


def test_relative_window_cuts_the_same_pixels():
    values = np.arange(400).reshape(20, 20)
    outer, inner = Window(3, 4, 10, 9), Window(5, 6, 2, 3)
    assert (values[inner.slices] == values[outer.slices][inner.relative_to(outer).slices]).all()
