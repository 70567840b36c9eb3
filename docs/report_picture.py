"""The README's picture of the report: the head of a project's `data/report/report.html`, as Chromium shows it.

`python docs/report_picture.py` after `thaw run` on the embedded default writes docs/report.png.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 1100, 1104
"""Of the window, in CSS pixels: down to the figures of the baselines."""
COLOURS = 96
"""The page has few colours, so the file stays small."""
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}")


def main() -> None:
    """Read the command line, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("data/report/report.html"))
    parser.add_argument("--out", type=Path, default=Path("docs/report.png"))
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("chromium is not installed")
    write_picture(given.report, given.out, chromium)


def write_picture(page: Path, out: Path, chromium: str) -> None:
    """Write the head of a page as a PNG of `WIDTH` x `HEIGHT` pixels and few colours."""
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "shown.png"
        command = [chromium, *FLAGS, f"--user-data-dir={folder}/profile", f"--screenshot={shown}"]
        subprocess.run([*command, page.resolve().as_uri()], check=True, capture_output=True, timeout=60)
        with Image.open(shown) as image:
            image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    main()
