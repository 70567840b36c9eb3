"""What `thaw compare --across` does on pictures that the earlier stages took."""

from pathlib import Path

import pytest
from registration import change_params
from stage_runs import run_stage
from written import written

from tasks.requests.across import ACROSS, compare_sources
from tasks.stages import ingest
from thaw.foundation.errors import BadParameters
from thaw.strategies.across_sources import Across


def test_it_takes_the_cached_features_of_all_labelled_examples(project: Path) -> None:
    files = sorted(path.relative_to("photos") for path in Path("photos").glob("*/*/*"))
    rows = [f"{file},{file.parts[1]},{file.parts[0]},{n % 3}" for n, file in enumerate(files)]
    Path("photos/list.csv").write_text("\n".join(["path,label,split,scanner", *rows]))
    change_params("{source: photos}", "{source: photos, listing: list.csv, slices: [scanner]}")
    run_stage(ingest)
    found = compare_sources("scanner")
    assert written(Across, ACROSS) == found
    assert [each.source for each in found.sources] == ["0", "1", "2"]
    assert sum(each.rows for each in found.sources) == len(files)
    assert found.expected.value > 0.9, "dark or bright, whatever the scanner"
    with pytest.raises(BadParameters, match=r"--across site: dataset.slices names scanner; .*slices=\[scanner, site\]"):
        compare_sources("site")


def test_without_slices_it_says_what_to_name(project: Path) -> None:
    with pytest.raises(BadParameters, match=r"names no column; name it there: .* dataset.slices=\[site\]"):
        compare_sources("site")
