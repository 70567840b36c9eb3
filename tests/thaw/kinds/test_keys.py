"""Programs find the examples under the name of their kind."""

from dataclasses import dataclass

from thaw.kinds.keys import keyed_by_kind, with_own_key


@dataclass(frozen=True)
class Count:
    model: str
    kind: str
    examples: int
    rejected: int


def test_the_name_of_the_kind_takes_the_place_of_examples() -> None:
    assert list(with_own_key({"a": 1, "examples": 2, "b": 3}, "series").items()) == [("a", 1), ("series", 2), ("b", 3)]
    assert with_own_key({"a": 1}, "series") == {"a": 1}


def test_a_record_is_written_without_its_kind() -> None:
    assert list(keyed_by_kind(Count("m", "images", 3, 1)).items()) == [("model", "m"), ("images", 3), ("rejected", 1)]
