"""Tests of the whole system that share one are run by one worker."""

import subprocess
import sys
from pathlib import Path

FILE = """
import os
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(4))
def test_where(number):
    here = Path(__file__)
    place = here.with_name(f"{here.stem}-{number}.worker")
    place.write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


def test_a_file_and_the_folder_of_pages_each_stay_in_one_worker(tmp_path: Path):
    """By the very scheduler of those tests, under the pytest and the xdist that are locked."""
    root = tmp_path / "e2e"
    (root / "pages").mkdir(parents=True)
    (root / "conftest.py").write_text(
        "from tests.e2e.conftest import pytest_xdist_make_scheduler\n"
    )
    files = [root / "test_a.py", root / "test_b.py"]
    pages = [root / "pages" / "test_c.py", root / "pages" / "test_d.py"]
    for file in files + pages:
        file.write_text(FILE)
    done = subprocess.run(
        [*(sys.executable, "-m", "pytest", str(root), "-n", "3", "-p", "no:cacheprovider")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    def workers(*some: Path) -> list[str]:
        found = [place for one in some for place in one.parent.glob(f"{one.stem}-*.worker")]
        assert len(found) == 4 * len(some)
        return [place.read_text() for place in found]

    assert [len(set(workers(file))) for file in files] == [1, 1]
    assert len(set(workers(*pages))) == 1
    assert len(set(workers(*files, *pages))) > 1
