"""The official places of text encoders, by name: GloVe, fastText, ELMo and InferSent.

Hashes are those that PyTorch's torchtext publishes, because the places themselves publish none. Sizes are only shown.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from thaw.foundation.files.downloads import Download

_PDDL, _SHARE_ALIKE, _APACHE, _BSD = "PDDL 1.0", "CC BY-SA 3.0", "Apache-2.0", "BSD-3-Clause"
_STANFORD = "https://nlp.stanford.edu/data"
_FACEBOOK = "https://dl.fbaipublicfiles.com"
_ALLENNLP = "https://allennlp.s3.amazonaws.com/models/elmo"


@dataclass(frozen=True)
class OfficialFiles:
    """The files of one encoder. files: by their names in a folder; a single one is the source itself. member: the file in an archive that is meant; None: the
    download is no archive of several files. words: the name of the word vectors for it; None: it needs no others."""

    files: Mapping[str, Download]
    member: str | None = None
    words: str | None = None


def official_files(name: str) -> OfficialFiles | None:
    """The files of a name; None: there is no such name in the table."""
    known = _TABLE.get(name)
    if known is not None:
        return known
    if language := re.fullmatch(r"cc\.([a-z]{2,3})\.300", name):
        file = f"cc.{language[1]}.300.bin.gz"
        return _single(file, f"{_FACEBOOK}/fasttext/vectors-crawl/{file}", _SHARE_ALIKE, None, None)
    if language := re.fullmatch(r"wiki\.([a-z_]{2,12})", name):
        file = f"wiki.{language[1]}.vec"
        return _single(file, f"{_FACEBOOK}/fasttext/vectors-wiki/{file}", _SHARE_ALIKE, None, None)
    return None


def official_file_names() -> tuple[str, ...]:
    """Every name of the table, and two more as examples of fastText's vectors of other languages."""
    return (*_TABLE, "cc.de.300", "wiki.de")


def _single(
    file: str, url: str, licence: str, nbytes: int | None, sha256: str | None, *, member: str | None = None
) -> OfficialFiles:
    return OfficialFiles({file: Download(url, licence, nbytes, sha256)}, member)


def _glove(corpus: str, dims: tuple[int, ...], nbytes: int, sha256: str) -> Iterator[tuple[str, OfficialFiles]]:
    single = len(dims) == 1
    for dim in dims:
        name = f"glove.{corpus}.{dim}d"
        file = f"{name}.zip" if single else f"glove.{corpus}.zip"
        yield name, _single(file, f"{_STANFORD}/{file}", _PDDL, nbytes, sha256, member=f"{name}.txt")


def _elmo(size: str, nbytes: int) -> OfficialFiles:
    start = f"{_ALLENNLP}/{size}/elmo_{size}"
    return OfficialFiles(
        {
            "weights.hdf5": Download(f"{start}_weights.hdf5", _APACHE, nbytes),
            "options.json": Download(f"{start}_options.json", _APACHE),
        }
    )


def _infersent(version: int, words: str) -> OfficialFiles:
    file = f"infersent{version}.pkl"
    return OfficialFiles({file: Download(f"{_FACEBOOK}/infersent/{file}", _BSD, 154_000_000)}, words=words)


def _english(file: str, nbytes: int, member: str) -> OfficialFiles:
    return _single(file, f"{_FACEBOOK}/fasttext/vectors-english/{file}", _SHARE_ALIKE, nbytes, None, member=member)


_TABLE: Mapping[str, OfficialFiles] = {
    **dict(_glove("6B", (50, 100, 200, 300), 862_182_613, "617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb")),
    **dict(_glove("42B", (300,), 1_877_800_501, "03d5d7fa28e58762ace4b85fb71fe86a345ef0b5ff39f5390c14869da0fc1970")),
    **dict(_glove("840B", (300,), 2_176_768_927, "c06db255e65095393609f19a4cfca20bf3a71e20cc53e892aafa490347e3849f")),
    **dict(_glove("twitter.27B", (25, 50, 100, 200), 1_520_408_563, "792af52f795d1a32c9842a3240f5f3fe5e941a8ff6df5eb0f9d668092ebc019c")),
    "wiki-news-300d-1M": _english("wiki-news-300d-1M.vec.zip", 681_808_098, "wiki-news-300d-1M.vec"),
    "crawl-300d-2M": _english("crawl-300d-2M.vec.zip", 1_523_785_255, "crawl-300d-2M.vec"),
    "cc.en.300": _single(
        "cc.en.300.bin.gz", f"{_FACEBOOK}/fasttext/vectors-crawl/cc.en.300.bin.gz", _SHARE_ALIKE, 4_503_593_528, None
    ),
    "wiki.en": _single(
        "wiki.en.vec", f"{_FACEBOOK}/fasttext/vectors-wiki/wiki.en.vec", _SHARE_ALIKE, 6_597_238_061,
        "ba5420ac217fb34f15f58ded0d911a4370dfb1f3341fa7511a49ae74c87de282",
    ),
    "elmo.small": _elmo("2x1024_128_2048cnn_1xhighway", 54_000_000),
    "elmo.medium": _elmo("2x2048_256_2048cnn_1xhighway", 112_000_000),
    "elmo": _elmo("2x4096_512_2048cnn_2xhighway", 374_000_000),
    "elmo.5.5B": _elmo("2x4096_512_2048cnn_2xhighway_5.5B", 374_000_000),
    "infersent1": _infersent(1, "glove.840B.300d"),
    "infersent2": _infersent(2, "crawl-300d-2M"),
}  # fmt: skip
