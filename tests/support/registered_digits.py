"""A project whose registry holds digit models as they are deployed, with test images in its manifest, and nothing of the pipeline's other files."""

import shutil
from pathlib import Path

import numpy as np
from digit_images import digit_images
from openness_rows import predictor_on_digits
from PIL import Image
from registration import inside

from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import write_manifest
from thaw.dataset.places import Places
from thaw.kinds.images.kind import KIND

PARAMS = "dataset: {source: photos, splits: {val: 0, test: 0.5}}\nbackbone: {weights: x.safetensors}\nregistry: {name: my digits}\n"


def build_registered(root: Path) -> Path:
    """Two versions of one model in the registry `my digits`; the first is the champion, and both have a lineage."""
    from tasks.project.paths import MANIFEST
    from tasks.registry.mlflow_run import log_model
    from tasks.registry.mlflow_store import connect, experiment_id
    from tasks.registry.registry import CHAMPION, open_registry
    from thaw.params.values.reading import read_params

    (root / "params.yaml").write_text(PARAMS)
    (root / "dvc.yaml").write_text("stages: {}\n")
    held = digit_images(120, 30)
    for number, (pixels, target) in enumerate(zip(held.inputs, held.targets.tolist(), strict=True)):
        path = root / f"photos/{target}/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels[0].numpy())).save(path)
    with inside(root):
        import mlflow

        write_manifest(ingest(Places(Path("photos")), read_params().dataset, KIND).manifest, MANIFEST)
        predictor = predictor_on_digits()
        predictor.write(Path("parts"))
        client = connect()
        with mlflow.start_run(experiment_id=experiment_id(client, "thaw")):
            model = log_model(Path("parts"), predictor)
        registry = open_registry(read_params().registry)
        for commit in ("abc", "def"):
            registry.create(model, {"thaw.git.commit": commit, "other": "not lineage"})
        registry.set_alias(CHAMPION, 1)
        shutil.rmtree("parts")
    return root
