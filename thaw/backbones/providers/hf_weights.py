"""A tower's weights and preprocessing, read by transformers from a folder or from the hub's cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from torch import Tensor, nn

from thaw.backbones.converting.source import Made
from thaw.backbones.providers.hf_networks import architecture_of, tower_of
from thaw.backbones.providers.hf_preprocessing import preprocessing_from
from thaw.backbones.providers.hf_texts import DIGEST, DUAL, tensors_in, writer_of
from thaw.backbones.providers.hf_towers import FAMILIES, Joint, joint_width, with_positions
from thaw.backbones.providers.origin import KEY, Origin, stated
from thaw.backbones.providers.packages import package
from thaw.backbones.weights import Weights, digest_tensors
from thaw.foundation.errors import BadWeights

_EXTRA = "hf"


@contextmanager
def read_by_transformers(place: str) -> Iterator[None]:
    """A context in which transformers reads a folder or a name; its errors become BadWeights."""
    safetensors = package("safetensors", _EXTRA)
    try:
        yield
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        TypeError,
        UnpicklingError,
        safetensors.SafetensorError,
    ) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadWeights(f"{place} cannot be read by transformers ({reason}); fetch it again") from error


def made_of(place: str, side: int | None, origin: Origin) -> Made:
    """The backbone of a folder or of `ORG/NAME`. side: of the input; None: that of its preprocessing.

    Raises:
        BadWeights: the network is of a type that is not read, or tensors are missing.
    """
    auto, local = package("transformers", _EXTRA), Path(place).is_dir()
    whole = auto.AutoConfig.from_pretrained(place, trust_remote_code=False, local_files_only=local)
    config = getattr(whole, "vision_config", whole)
    if config.model_type not in FAMILIES:
        raise BadWeights(
            f"{place} holds a network of the type {config.model_type}; towers of the types {', '.join(FAMILIES)} are read"
        )
    dual = _dual(place, whole) if whole.model_type in DUAL else None
    model = _loaded(place, config) if dual is None else dual.vision_model
    joint = None if dual is None else Joint(getattr(dual, "visual_projection", None))
    preprocessing = preprocessing_from(_processor(place), usual_side=config.image_size, asked=side)
    assert preprocessing.crop is not None
    if preprocessing.crop != config.image_size:
        with_positions(model, preprocessing.crop)
        config.image_size = preprocessing.crop
    tensors = _tensors(tower_of(model, config, 1, joint))
    metadata = {
        "architecture": architecture_of(config, None if joint is None else joint_width(joint, config)),
        "preprocessing": preprocessing.to_json(),
        KEY: stated(origin),
    }
    layers = (
        f"{config.num_hidden_layers} layers of {config.hidden_size} dimensions, inputs of {preprocessing.crop} pixels"
    )
    if dual is None:
        return Made(Weights(tensors, metadata), (layers, str(origin)))
    metadata[DIGEST] = digest_tensors(tensors_in(dual))
    texts = "a text tower beside it, which makes a head of the names of classes (strategy.kind: zero_shot)"
    return Made(Weights(tensors, metadata), (layers, texts, str(origin)), writer_of(dual, place))


def _dual(place: str, config: Any) -> Any:
    """transformers' network with two towers and all its weights."""
    return _whole(package("transformers.models.auto.modeling_auto", _EXTRA).AutoModel, place, config)


def _loaded(place: str, config: Any) -> nn.Module:
    """transformers' model with all its weights."""
    mapping = package("transformers.models.auto.modeling_auto", _EXTRA).MODEL_MAPPING
    loaded: nn.Module = _whole(mapping[type(config)], place, config)
    return loaded


def _whole(model_class: Any, place: str, config: Any) -> Any:
    """The model of that class; pickles of anything but tensors are refused by transformers itself."""
    model, told = model_class.from_pretrained(
        place,
        config=config,
        output_loading_info=True,
        dtype="float32",
        trust_remote_code=False,
        local_files_only=Path(place).is_dir(),
    )
    _refuse_missing(place, told)
    return model.eval()


def _refuse_missing(place: str, told: Mapping[str, Any]) -> None:
    missing = sorted(name for name in told["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise BadWeights(f"{place} has no `{missing[0]}`, so it does not fit its config.json")


def _tensors(tower: nn.Module) -> Mapping[str, Tensor]:
    """The tower's tensors, without the classifier, which was drawn."""
    return {name: tensor.detach() for name, tensor in tower.state_dict().items() if not name.startswith("fc.")}


def _processor(place: str) -> Mapping[str, Any]:
    """The settings of `preprocessor_config.json`; empty if there are none."""
    processing = package("transformers.image_processing_utils", _EXTRA)
    try:
        settings, _ = processing.ImageProcessingMixin.get_image_processor_dict(
            place, local_files_only=Path(place).is_dir()
        )
    except OSError:
        return {}
    found: Mapping[str, Any] = settings
    return found
