"""What jobs read and write: no output is written over a file that is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from auxlens.engine import jobs, paths
from auxlens.engine.jobs import JobError
from auxlens.engine.run import run


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("b.tif",), "map"),
        (("s2=b.tif", "c.tif"), "map"),
        (("./x/../b.tif|layername=fields",), "map"),
        (("a=1/b.tif", "c.tif"), ""),
        (("c.tif", "d.gpkg|layername=e.tif"), ""),
    ],
)
def test_clash(given, found):
    assert paths.clash({"map": "b.tif", "report": "e.html", "uncertainty": jobs.ANYWHERE}, given) == found


def test_two_outputs_clash():
    assert paths.clash({"map": "b.tif", "uncertainty": "./b.tif"}, ()) == "uncertainty"
    assert paths.clash({"map": "e=1/b.tif"}, ("e=1/b.tif",)) == "map"
    assert paths.clash({"map": jobs.ANYWHERE, "uncertainty": jobs.ANYWHERE}, ()) == ""


def test_two_rasters_of_one_style(tmp_path):
    assert paths.of_one_style({"map": "b.tif", "report": "b.html", "uncertainty": "./b.TIFF"}) == ("map", "uncertainty")
    assert paths.of_one_style({"map": "b.tif", "report": "b.html", "uncertainty": "b.1.tif"}) == ()
    assert paths.of_one_style({"map": jobs.ANYWHERE, "uncertainty": jobs.ANYWHERE}) == ()
    two = {"output_map": str(tmp_path / "x.tif"), "output_uncertainty": str(tmp_path / "x.tiff")}
    with pytest.raises(JobError, match=r"“map” and “uncertainty” have one name but for the ending .*share the style"):
        paths.check_outputs(jobs.MapJob("m.safetensors", ("s2.tif",), **two))


def test_links_to_one_file_clash(tmp_path):
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "b.tif").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "scenes")
    (tmp_path / "c.tif").symlink_to(tmp_path / "scenes" / "b.tif")
    given = (str(tmp_path / "scenes" / "b.tif"),)
    assert paths.clash({"map": str(tmp_path / "link" / "b.tif")}, given) == "map"
    assert paths.clash({"map": str(tmp_path / "c.tif")}, given) == "map"
    assert paths.clash({"map": str(tmp_path / "link" / "a.tif")}, given) == ""


def test_layers_are_told_from_signs_in_names_of_files(tmp_path):
    folder = tmp_path / "a|b"
    folder.mkdir()
    (folder / "s2.tif").write_text("")
    (folder / "truth.gpkg").write_text("")
    s2, truth = str(folder / "s2.tif"), str(folder / "truth.gpkg")
    assert paths.split_options(s2) == (s2, "")
    assert paths.split_options(f"{truth}|layername=x|y") == (truth, "|layername=x|y")
    assert paths.split_options("not there.gpkg|layername=x|y") == ("not there.gpkg", "|layername=x|y")
    for given in (s2, f"s2={s2}", f"{s2}|layername=x"):
        assert paths.clash({"map": s2}, (given,)) == "map"
    assert paths.clash({"map": truth}, (f"{truth}|layername=x",)) == "map"


def vrt(path, source):
    """Writes a raster that is made of another."""
    band = f"<SimpleSource><SourceFilename relativeToVRT='1'>{source}</SourceFilename></SimpleSource>"
    path.write_text(
        "<VRTDataset rasterXSize='8' rasterYSize='8'><GeoTransform>0,10,0,0,0,-10</GeoTransform>"
        f"<VRTRasterBand dataType='Byte' band='1'>{band}</VRTRasterBand></VRTDataset>"
    )
    return str(path)


@pytest.mark.parametrize("name", ["v|v/b.tif", "v|v/b.vrt", "of_vrts.vrt"])
def test_an_output_never_replaces_what_an_input_is_made_of(tmp_path, write, quiet, name):
    source = write("v|v/b.tif", np.ones((1, 8, 8), np.uint8))
    vrt(tmp_path / "v|v" / "b.vrt", "b.tif")
    vrt(tmp_path / "of_vrts.vrt", "v|v/b.vrt")
    before = Path(source).read_bytes()
    job = jobs.MapJob("a.safetensors", (f"s1={tmp_path / name}",), output_map=source)
    with pytest.raises(JobError, match=r"“map” has the path of an input or of a.*v\|v/b\.tif"):
        run(job, quiet())
    assert Path(source).read_bytes() == before


def test_rasters_are_opened_only_where_a_file_can_be_lost(tmp_path):
    opened = []
    look = lambda path: opened.append(path) or ()  # noqa: E731
    for there in (tmp_path / "map.tif", tmp_path):
        assert paths.sources_at_stake({"map": str(there)}, ("a.vrt",), look) == () and not opened
    (tmp_path / "map.tif").write_text("")
    paths.sources_at_stake({"map": str(tmp_path / "map.tif")}, ("s1=a.vrt",), look)
    assert opened == ["a.vrt"]


def test_files_that_a_job_reads():
    job = jobs.MapJob("a.safetensors;b.safetensors", ("a.tif",), ("s1=c.vrt",), "d.gpkg|layername=e")
    assert paths.files_read(job) == ("a.safetensors", "b.safetensors", "a.tif", "s1=c.vrt", "d.gpkg|layername=e")
    assert paths.files_read(jobs.DemoJob("demo")) == ()
    files = {"c.vrt": ("c.vrt", "x.vrt", "x.tif"), "x.vrt": ("x.vrt", "c.vrt", "y.tif"), "d.gpkg": ("d.gpkg",)}
    found = paths.sources_of(paths.files_read(job), lambda path: files.get(path, ()))
    assert set(found) == {"c.vrt", "x.vrt", "x.tif", "y.tif", "d.gpkg"}
