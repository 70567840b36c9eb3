"""An example never changes its split."""

from hypothesis import given
from hypothesis import strategies as st

from thaw.dataset.splits import Splitter, hashed_split
from thaw.foundation.files.atomic import digest_bytes
from thaw.params.sections import SplitParams

SHARES = SplitParams()
digests = st.binary(min_size=32, max_size=32)
groups = st.none() | st.text()
shares = st.tuples(st.floats(0, 0.49), st.floats(0, 0.49)).map(lambda pair: SplitParams(val=pair[0], test=pair[1]))

FIXED_DIGESTS = [
    "val",
    "train",
    "train",
    "train",
    "test",
    "train",
    "train",
    "test",
    "val",
    "test",
    "test",
    "train",
]
FIXED_GROUPS = [
    "test",
    "test",
    "train",
    "test",
    "train",
    "train",
    "train",
    "test",
    "train",
    "test",
    "test",
    "test",
]


def test_fixed_points_that_no_version_may_move() -> None:
    """These stand in users" manifests; a change here moves training examples into someone"s test."""
    splits = [hashed_split(digest=digest_bytes(bytes([i])), group=None, shares=SHARES) for i in range(12)]
    assert splits == FIXED_DIGESTS
    grouped = [hashed_split(digest=bytes(32), group=f"patient {i}", shares=SHARES) for i in range(12)]
    assert grouped == FIXED_GROUPS


@given(digests, digests, st.text(), shares)
def test_a_group_wins_over_the_digest(one: bytes, other: bytes, group: str, shares: SplitParams) -> None:
    assert hashed_split(digest=one, group=group, shares=shares) == hashed_split(
        digest=other, group=group, shares=shares
    )


@given(digests, groups, st.floats(0, 0.79))
def test_another_share_for_validation_leaves_the_test_alone(digest: bytes, group: str | None, val: float) -> None:
    before = hashed_split(digest=digest, group=group, shares=SHARES)
    after = hashed_split(digest=digest, group=group, shares=SplitParams(val=val, test=SHARES.test))
    assert (before == "test") == (after == "test")


@given(digests, groups, shares, st.floats(0, 0.5))
def test_a_larger_test_only_grows(digest: bytes, group: str | None, shares: SplitParams, more: float) -> None:
    larger = SplitParams(val=shares.val, test=shares.test + more * (1 - shares.val - shares.test))
    if hashed_split(digest=digest, group=group, shares=shares) == "test":
        assert hashed_split(digest=digest, group=group, shares=larger) == "test"


def test_the_shares_are_what_was_asked_for() -> None:
    splits = [hashed_split(digest=digest_bytes(str(i).encode()), group=None, shares=SHARES) for i in range(10_000)]
    for split, share in (("train", 0.65), ("val", 0.15), ("test", 0.2)):
        assert abs(splits.count(split) / 10_000 - share) < 0.02
    none = SplitParams(val=0, test=0)
    assert {hashed_split(digest=bytes([i] * 32), group=None, shares=none) for i in range(50)} == {"train"}


def test_the_sources_own_splits() -> None:
    own = Splitter.of(["train", "val", "test", None], SHARES)
    assert [own.split(named=name, digest=bytes(32), group=None) for name in ("train", "val", "test", None)] == [
        "train",
        "val",
        "test",
        "train",
    ]
    pair = Splitter.of(["train", "val"], SHARES)
    assert pair.val_is_test
    assert [pair.split(named=name, digest=bytes(32), group=None) for name in ("train", "val", None)] == [
        "train",
        "test",
        "train",
    ]


@given(digests, groups)
def test_a_source_that_names_only_train_is_split_by_the_hash(digest: bytes, group: str | None) -> None:
    splitter = Splitter.of(["train", None], SHARES)
    assert splitter.split(named="train", digest=digest, group=group) == hashed_split(
        digest=digest, group=group, shares=SHARES
    )
