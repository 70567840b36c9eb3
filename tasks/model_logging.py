"""Logging the model to MLflow as code and plain tensors, with all that it needs to run on another machine."""

from importlib.metadata import version
from pathlib import Path

import thaw

REQUIREMENTS = (
    "mlflow", "torch", "torchvision", "safetensors", "blake3", "pydantic", "ruamel-yaml", "pillow", "numpy", "pandas", "pyarrow",
    "scikit-learn", "scipy",
)  # fmt: skip
"""What `thaw.predictor` and the model's own code import; pinned, because inferring them costs MLflow seconds and guesses."""


def log_model(folder: Path, run_id: str) -> str:
    """Log the predictor written in `folder` to the run, and return the model's URI."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(Path(__file__).with_name("pyfunc_model.py")),
        artifacts={"model": str(folder)},
        code_paths=[str(Path(thaw.__file__).parent)],
        pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        # Any: paths, bytes and arrays are all images, and MLflow has no one type for them.
        signature=ModelSignature(
            inputs=Schema([ColSpec(AnyType())]),
            outputs=Schema([ColSpec(DataType.string, "label"), ColSpec(DataType.float, "confidence")]),
        ),
        input_example=[EXAMPLE],
        metadata={"thaw_run": run_id},
    )
    return str(info.model_uri)


EXAMPLE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR4nGP4zwADFLEA"
    "HzcH+VNH7jQAAAAASUVORK5CYII="
)
"""A small picture, so that the example needs no file."""
