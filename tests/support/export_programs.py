"""The program in an export's README, as far as it prepares texts."""

import json
import subprocess
import sys
from pathlib import Path

from thaw.kinds.kind import Preprocessing
from thaw.kinds.texts.kind import KIND


def prepared_by_the_program(preprocessing: Preprocessing, texts: list[str], folder: Path) -> dict[str, list[object]]:
    """The inputs of the graph by the program, which runs in a process of its own."""
    names = [f"{number}.txt" for number in range(len(texts))]
    for name, text in zip(names, texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "card.json").write_text(json.dumps({"preprocessing": json.loads(preprocessing.to_json())}))
    recipe = KIND.recipe(preprocessing)
    program = (
        *("import json", "import numpy as np", *recipe.imports, recipe.code),
        'card = json.load(open("card.json"))',
        f"batch = batch_of({names})",
        "print(json.dumps({name: [str(value.dtype), value.tolist()] for name, value in batch.items()}))",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)], cwd=folder, capture_output=True, text=True, check=True
    )
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found
