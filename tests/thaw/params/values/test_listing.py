"""What is listed of the parameters."""

from thaw.params.sections import Params
from thaw.params.values.listing import USUAL, changes, list_settings
from thaw.params.values.reading import check_params


def test_the_usual_ones_are_some_of_all_and_their_first_clauses_are_short() -> None:
    by_key = {setting.key: setting for setting in list_settings(Params())}
    assert len(USUAL) == 25 and {*USUAL} < {*by_key}
    for key in USUAL:
        assert 5 < len(by_key[key].brief) <= 70 and by_key[key].description.startswith(by_key[key].brief)


def test_the_defaults_are_what_an_empty_file_means() -> None:
    assert not [setting.key for setting in list_settings(Params()) if setting.changed]
    assert changes(Params()) == ""


def test_what_differs_is_told_in_the_order_of_the_models() -> None:
    params = check_params({"head": {"folds": 3}, "dataset": {"splits": {"val": 0}}, "strategy": {"kind": "auto"}}, "x")
    assert changes(params) == "dataset.splits.val: 0.0\nhead.folds: 3"


def test_choices_are_listed_where_there_is_a_closed_set_of_them() -> None:
    by_key = {setting.key: setting for setting in list_settings(Params())}
    assert by_key["extract.dtype"].choices == ("float32", "float16")
    assert by_key["compare.strategies"].choices[0] == "linear"
    assert by_key["head.folds"].choices == by_key["backbone.weights"].choices == ()
