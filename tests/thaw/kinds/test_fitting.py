"""Parameters are checked before the weights are read: what they name must be of some kind."""

import pytest

from thaw.foundation.errors import BadParameters
from thaw.kinds.fitting import fitting_kind
from thaw.params.values.reading import check_params


def test_images_come_first_and_other_kinds_where_images_do_not_fit(series: None) -> None:
    assert fitting_kind("auto", ["hflip"], "auto").name == "images"
    assert fitting_kind("auto", ["negated"], "auto").name == "series"
    assert fitting_kind("series", ["identity"], "negate").name == "series"


def test_what_no_kind_has_is_refused_with_what_each_has(series: None) -> None:
    with pytest.raises(ValueError, match=r"images have no view `upside_down`; .*; views: series have no view"):
        fitting_kind("auto", ["upside_down"], "auto")
    with pytest.raises(
        ValueError, match=r"finetune\.augment: series cannot be changed by `flip`; there are none, negate, noise"
    ):
        fitting_kind("series", [], "flip")


def test_the_parameters_say_it_as_a_mistake_in_the_file() -> None:
    with pytest.raises(
        BadParameters, match=r"views: images have no view `negated`; there are identity, hflip, five_crop"
    ):
        check_params({"extract": {"views": ["negated"]}}, "params.yaml")
    with pytest.raises(BadParameters, match=r"head\.views needs hflip, and extract\.views lacks it"):
        check_params({"head": {"views": ["hflip"]}}, "params.yaml")
