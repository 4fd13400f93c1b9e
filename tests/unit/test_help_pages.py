"""Help pages: one for each algorithm, with a picture that is there and small."""

import re
from pathlib import Path

import pytest

from auxlens.engine.jobs import JOBS

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted((DOCS / "algorithms").glob("*.md"))
WITHOUT_JOB = {"report", "style"}


def test_every_algorithm_has_a_page():
    assert {page.stem for page in PAGES} == {*JOBS, *WITHOUT_JOB}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_picture_with_words_for_it(page):
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", page.read_text(encoding="utf-8"))
    assert pictures
    for words, path in pictures:
        assert len(words) > 10
        assert 2_000 < (page.parent / path).stat().st_size < 300_000


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
