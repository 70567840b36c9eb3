"""What a backbone is worth on the embedded target, scikit-learn's digits: the protocol behind the card and the benchmark.

A hash splits the 1797 images into a pool and a test half. Each seed draws a few labels a class from the pool; a head on frozen features, the same
network trained from scratch, a linear model on raw pixels and a head on random features learn from the same images.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.contenders import Setting, measure_contenders
from thaw.backbones import read_backbone
from thaw.builtin_sources import write_builtin
from thaw.extraction import extract
from thaw.features import FeatureStore
from thaw.ingestion import ingest
from thaw.manifest import TEST
from thaw.params import BackboneParams, DatasetParams, EvaluateParams, Params, SplitParams
from thaw.selection import class_names_of, examples_of, training_examples
from thaw.transfer_gain import TransferGain

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
