"""A file's tensors fit an architecture up to prefixes, numbers, heads and counters; nothing inside the network is left out."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from thaw.backbones.architectures import build_seeded, outline_of
from thaw.backbones.matching import match
from thaw.backbones.outline import Fitted, Misfit

SMALL = build_seeded("thaw_small", 10, 0)
OWN = SMALL.state_dict()
BODY = {name: value for name, value in OWN.items() if not name.startswith("fc.")}
Tensors = Mapping[str, Tensor]


def prefixed(prefix: str, tensors: Tensors = OWN) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in tensors.items()}


def fitted(tensors: Tensors, architecture: str = "thaw_small") -> Fitted:
    found = match(outline_of(architecture), tensors)
    assert isinstance(found, Fitted), found
    return found


def misfit(tensors: Tensors, architecture: str = "thaw_small") -> Misfit:
    found = match(outline_of(architecture), tensors)
    assert isinstance(found, Misfit)
    return found


def holds_the_body(found: Fitted, expected: Tensors = BODY) -> bool:
    return all(torch.equal(found.tensors[name], value) for name, value in expected.items())


PREFIXES = (
    "model.",
    "module.",
    "backbone.",
    "encoder.",
    "model.backbone.",
    "module.net.encoder_q.",
    "backbone.body.",
    "0.",
)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_of_any_name_is_taken_off_and_told(prefix: str) -> None:
    found = fitted(prefixed(prefix))
    assert found.tensors.keys() == OWN.keys() and holds_the_body(found, OWN)
    assert found.notes == (f"the names begin with `{prefix}`, which was taken off",)


@pytest.mark.parametrize("inside", ["_orig_mod.", "module._orig_mod.", "_fsdp_wrapped_module."])
def test_wrappers_of_torch_vanish_at_any_depth(inside: str) -> None:
    assert holds_the_body(fitted(prefixed(inside)), OWN)
    nested = {name.replace("layer1.", "layer1._orig_mod."): value for name, value in OWN.items()}
    assert holds_the_body(fitted(nested), OWN)


def test_names_that_an_architecture_shares_with_prefixes_are_kept() -> None:
    own = build_seeded("vit_b_32", 3, 0).state_dict()  # its own names begin with `encoder.`
    assert holds_the_body(fitted(prefixed("encoder.", own), "vit_b_32"), own)


HEADS: dict[str, Tensors] = {
    "none": BODY,
    "a Sequential": {**BODY, "fc.0.weight": torch.ones(4, 256), "fc.0.bias": torch.ones(4), "fc.2.weight": torch.ones(2, 4)},
    "another input": {**BODY, "fc.weight": torch.ones(5, 300), "fc.bias": torch.ones(5)},
    "beside the network": {**prefixed("backbone.", BODY), "head.weight": torch.ones(2, 256), "head.bias": torch.ones(2)},
    "metric learning": {**BODY, "fc.parametrizations.weight.original0": torch.ones(2, 1)},
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_no_head_and_another_head_leave_the_network_as_it_is(name: str) -> None:
    found = fitted(HEADS[name])
    assert holds_the_body(found) and found.blank == {"fc.weight", "fc.bias"}
    assert not found.tensors["fc.weight"].any()
    assert "`fc.bias`, `fc.weight` are not in the file, and zero here" in found.notes


def test_a_classifier_of_any_number_of_classes_is_kept() -> None:
    found = fitted(prefixed("model.", build_seeded("thaw_small", 3, 0).state_dict()))
    assert found.tensors["fc.weight"].shape == (3, 256) and not found.blank


def test_what_lies_beside_the_network_is_left_out_and_named() -> None:
    found = fitted({**OWN, "criterion.weight": torch.ones(2), "queue": torch.ones(2, 3), "n_averaged": torch.tensor(1)})
    assert holds_the_body(found, OWN)
    assert found.notes == ("`criterion.weight`, `queue`, `n_averaged` are left out",)


def test_counters_may_be_missing_and_others_may_be_there() -> None:
    without = {name: value for name, value in OWN.items() if not name.endswith("num_batches_tracked")}
    assert fitted(without).notes == (), "nothing depends on them"
    counted = {**without, "total_ops": torch.ones(1), "layer1.0.conv1.total_ops": torch.ones(1)}
    assert holds_the_body(fitted(counted), without)


def test_a_first_layer_of_one_channel_answers_grey_inputs_alike() -> None:
    grey = {**OWN, "conv1.weight": OWN["conv1.weight"].sum(1, keepdim=True)}
    found = fitted(grey)
    values = torch.rand(2, 1, 8, 8)
    expected = nn.functional.conv2d(values, grey["conv1.weight"])
    got = nn.functional.conv2d(values.expand(-1, 3, -1, -1), found.tensors["conv1.weight"])
    assert torch.allclose(got, expected, atol=1e-5)
    assert found.notes == ("`conv1.weight` takes one channel; it was spread evenly over 3",)


def numbered(model: nn.Module) -> Tensors:
    return nn.Sequential(*list(model.children())[:-1]).state_dict()


def in_fastai(model: nn.Module) -> Tensors:
    body, head = nn.Sequential(*list(model.children())[:-2]), nn.Sequential(nn.Linear(256, 2))
    return nn.Sequential(body, head).state_dict()


@pytest.mark.parametrize("write", [numbered, in_fastai])
def test_numbered_children_get_their_names_back(write: Callable[[nn.Module], Tensors]) -> None:
    found = fitted(write(SMALL))
    assert holds_the_body(found)
    assert "its parts are numbered, and were named as in thaw_small" in found.notes


def test_the_only_large_part_of_a_network_may_stand_alone() -> None:
    own = build_seeded("mobilenet_v3_small", 3, 0).state_dict()
    part = {name.removeprefix("features."): value for name, value in own.items() if name.startswith("features.")}
    found = fitted(part, "mobilenet_v3_small")
    assert holds_the_body(found, {f"features.{name}": value for name, value in part.items()})


MISFITS: dict[str, tuple[Tensors, str]] = {
    "another shape": ({**OWN, "conv1.weight": torch.ones(64, 3, 7, 7)}, "`conv1.weight` has the shape 64 x 3 x 7 x 7, not 64 x 3 x 3 x 3"),
    "four channels": ({**OWN, "conv1.weight": torch.ones(64, 4, 3, 3)}, "not 64 x 3 x 3 x 3"),
    "a deeper network": ({**OWN, "layer1.1.conv1.weight": torch.ones(1)}, "`layer1.1.conv1.weight` of the file has no place"),
    "other blocks": ({**OWN, "layer2.0.se.weight": torch.ones(1)}, "`layer2.0.se.weight` of the file has no place"),
    "a part is missing": ({k: v for k, v in OWN.items() if "layer3" not in k}, "`layer3.0.conv1.weight` is missing in the file"),
    "quantised": ({k: v.to(torch.int8) for k, v in OWN.items()}, "`conv1.weight` holds numbers of the type int8"),
    "a deeper one, numbered": ({**numbered(SMALL), "4.1.conv1.weight": torch.ones(1)}, "`4.1.conv1.weight` of the file has no place"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_anything_else_inside_the_network_is_refused_with_the_difference(name: str) -> None:
    tensors, difference = MISFITS[name]
    assert difference in str(misfit(tensors))


def test_three_differences_are_told_and_the_others_counted() -> None:
    found = misfit({"conv1.weight": OWN["conv1.weight"]})
    assert str(found).count("is missing in the file") == 3 and str(found).endswith("more")
    assert 0 < found.likeness < 0.1
