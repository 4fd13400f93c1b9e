"""JSON without words that the standard does not have."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from auxlens.engine.json_text import json_text, plain


def test_numbers_that_are_not_finite_are_null_wherever_they_are():
    value = {"a": math.nan, "b": [1.5, -math.inf, (2, math.inf)], "c": {"d": np.array([[1.0, np.nan]])}, "e": "nan"}
    assert plain(value) == {"a": None, "b": [1.5, None, [2, None]], "c": {"d": [[1.0, None]]}, "e": "nan"}
    assert json.loads(json_text(value)) == plain(value)


def test_what_json_has_stays():
    value = {"a": True, "b": None, "c": 3, "d": "ä", "e": []}
    assert plain(value) == value
    assert json_text(value, ensure_ascii=False) == '{"a": true, "b": null, "c": 3, "d": "ä", "e": []}'


def test_array_scalars_are_numbers():
    assert json_text([np.float32(0.5), np.int64(3), np.bool_(True), np.float64("nan")]) == "[0.5, 3, true, null]"


def test_what_json_does_not_have_is_an_error_or_the_caller_s():
    with pytest.raises(TypeError):
        json_text({"a": object})
    assert json_text({"a": 1j}, default=str) == '{"a": "1j"}'
