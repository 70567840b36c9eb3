"""Every file and folder that the stages read and write, relative to the project's root; `dvc.yaml` names the same."""

from pathlib import Path

SETTINGS = Path("data/params.yaml")
"""Every parameter with its value."""
CODE = Path("data/code.yaml")
"""The digest of each stage's code."""
SOURCES = Path("data/sources")
WEIGHTS = Path("data/weights")
MANIFEST = Path("data/manifest.parquet")
INGEST = Path("data/ingest")
FEATURES = Path("data/features")
FEATURES_INDEX = Path("data/features.json")
ADVICE = Path("data/advice.json")
ADVICE_PAGE = Path("data/advice")
PREDICTED = Path("data/predicted.json")
STRATEGY = Path("data/strategy.json")
HEAD = Path("data/head")
FINETUNED = Path("data/finetuned")
CERTIFICATE = Path("data/certificate.json")
REPORT = Path("data/report")
TRACKED = Path("data/tracked.json")
"""The MLflow run of the present model, by the stage `track`."""
REGISTERED = Path("data/registered.json")
"""The version of the present model; no stage writes it."""

SCORES = Path("data/scores")
"""Tables of scores; no stage reads or writes them, and DVC does not track them."""
SCORED_FEATURES = Path("data/scores/features")
"""Features of scored examples; those of training lie in `FEATURES`."""
