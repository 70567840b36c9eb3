"""Groups: a number for each, and one of its own for each row without."""

from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example


def test_groups_get_numbers_of_their_own() -> None:
    rows = [
        Example(bytes(32), f"{n}", "a", "train", group, (8, 8, 1), 9) for n, group in enumerate(["x", None, "x", "1"])
    ]
    numbers = group_numbers(rows)
    assert numbers is not None
    assert numbers.tolist() == [0, 1, 0, 2]
    assert group_numbers(rows[1:2]) is None
