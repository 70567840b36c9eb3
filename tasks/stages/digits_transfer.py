"""What a backbone is worth on the embedded target, scikit-learn's digits: the protocol behind the card and the benchmark.

A hash splits the 1797 images into a pool and a test half. Each seed draws a few labels a class from the pool; a head on frozen features, the same
network trained from scratch, a linear model on raw pixels and a head on random features learn from the same images.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.stages.evaluate.trained_baselines import Setting, measure_contenders
from thaw.backbones.backbone import read_backbone
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import TEST
from thaw.dataset.selection import class_names_of, examples_of, training_examples
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.params.sections import BackboneParams, DatasetParams, EvaluateParams, Params, SplitParams
from thaw.strategies.baselines.transfer_gain import TransferGain

MAX_PIXELS = 10**6


def measure_on_digits(weights: Path, *, seeds: int, labels_per_class: int) -> TransferGain:
    """The transfer gain of the backbone in `weights`, on test accuracy, with intervals over the seeds."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "digits"
        write_builtin(source)
        dataset = DatasetParams(
            source=str(source), splits=SplitParams(val=0.0, test=0.5), labels_per_class=labels_per_class
        )
        evaluate = EvaluateParams(baselines=("pixels", "random_backbone", "scratch"), seeds=seeds)
        params = Params(dataset=dataset, backbone=BackboneParams(weights=str(weights)), evaluate=evaluate)
        manifest, backbone = ingest(source, dataset).manifest, read_backbone(params.backbone)
        store = FeatureStore(Path(folder) / "features")
        index = extract(manifest, source, backbone, store, params.extract, max_pixels=MAX_PIXELS).index
        test, names = examples_of(manifest, TEST), class_names_of(training_examples(manifest, None))
        found = measure_contenders(
            Setting(params, manifest, (index.layer(None),), backbone, store, names, "linear", test)
        )
        assert found is not None
        return found
