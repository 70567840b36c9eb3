"""What 1M, 100M and 10B images cost, and what gives out first: the figures of docs/scale.md.

    THAW_REAL_DATA=FOLDER python benchmarks/scale.py [--quick] [--write]
    python benchmarks/scale.py --stored [--write]

`FOLDER` holds `hymenoptera/{train,val}/{ants,bees}`. Rates are measured on one core (`capacity/measuring.py`), in processor seconds; Linux only. A model
(`capacity/model.py`) makes costs and limits of them, with what is assumed or taken from others (`capacity/rates.py`). The tables are printed.
`--write` also keeps the rates in benchmarks/results/scale.json, and puts the tables into docs/scale.md.
"""

import argparse
import os
from pathlib import Path

from capacity.rates import Assumptions, Rates, rates_json, read_rates
from capacity.tables import blocks

from thaw.foundation.files.atomic import write_bytes, write_text

ROOT = Path(__file__).resolve().parents[1]
STORED, DOC = ROOT / "benchmarks/results/scale.json", ROOT / "docs/scale.md"


def main() -> None:
    """Measure, or read what was measured; print the tables, and keep them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="measure with a tenth of the rows; never kept")
    parser.add_argument("--stored", action="store_true", help="measure nothing, take the rates that were kept")
    parser.add_argument("--write", action="store_true", help="keep the rates, and put the tables into docs/scale.md")
    arguments = parser.parse_args()
    if arguments.quick and (arguments.write or arguments.stored):
        parser.error("--quick measures too coarsely to be kept; leave it out")
    rates = read_rates(STORED) if arguments.stored else _measure(quick=arguments.quick)
    for name, text in blocks(rates, Assumptions()).items():
        print(f"\n{name}\n\n{text}")
    if arguments.write:
        write_bytes(STORED, rates_json(rates))
        write_text(DOC, with_blocks(DOC.read_text(encoding="utf-8"), rates))


def with_blocks(text: str, rates: Rates) -> str:
    """The text with what lies between its marks made anew; the marks must be there, each once."""
    for name, block in blocks(rates, Assumptions()).items():
        start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
        before, rest = text.split(start)
        _, after = rest.split(end)
        text = f"{before}{start}\n{block}\n{end}{after}"
    return text


def _measure(*, quick: bool) -> Rates:
    from capacity.measuring import measure

    return measure(Path(os.environ["THAW_REAL_DATA"]) / "hymenoptera", quick=quick)


if __name__ == "__main__":
    main()
