"""The engine's process: what was freed is kept until it is asked to be given back; burning polygons is quiet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOLES = """
import conftest
from auxlens.engine.tuning import give_back_freed_memory, keep_freed_memory

def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) // 256

print(keep_freed_memory())
large, kept = [], []
for _ in range(200):
    large.append(b"x" * 2**20)
    kept.append(b"y" * 2**10)
print(resident_mib())
large.clear()
print(resident_mib())
give_back_freed_memory()
print(resident_mib())
"""

BURNING = """
import conftest
from auxlens.engine.tuning import tune_process
tune_process()

import sys
from concurrent.futures import ThreadPoolExecutor
import rasterio.features
from affine import Affine
from shapely.geometry import box

def burn(number):
    rasterio.features.geometry_mask([box(500_006, 5_399_990, 500_010, 5_399_996)], (9, 9), PLACE)

PLACE = Affine(1, 0, 500_006, 0, -1, 5_399_996)
sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(4) as threads:
    list(threads.map(burn, range(4000)))
"""


def test_polygons_are_burnt_in_several_threads_without_a_word():
    done = subprocess.run([sys.executable, "-c", BURNING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc knows how")
def test_freed_memory_between_what_is_kept_is_given_back_when_asked():
    done = subprocess.run([sys.executable, "-c", HOLES], cwd=ROOT, capture_output=True, text=True, check=True)
    tuned, full, freed, given_back = done.stdout.split()
    if tuned == "False":
        pytest.skip("no glibc")
    assert int(full) - int(freed) < 20 and int(freed) - int(given_back) > 150
