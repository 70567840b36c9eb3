"""The pipeline of the embedded word vectors: what it writes is a backbone, and the shipped one is what its record tells of."""

import json
import lzma
import statistics
from pathlib import Path

import pytest
import torch
from made_up_corpus import made_up_lines

from tasks.stages import pretrain_texts, text_card, text_corpora
from tasks.stages.pretrain_texts import TRAINING, WEIGHTS
from tasks.stages.text_card import CARD, METRICS
from tasks.stages.text_corpora import CORPUS, PARAMS, read_text_params
from thaw.backbones.backbone import read_backbone
from thaw.foundation.errors import BadParameters, BadSource
from thaw.foundation.files.atomic import digest_file
from thaw.kinds.batches import stacked
from thaw.pages.layout import percent
from thaw.params.sections import BackboneParams

QUICK = """\
corpora:
  - {{name: Novels, path: novels.txt.xz, from: "https://example.org", licence: CC BY 4.0, digest: {novels}}}
  - {{name: Glosses, path: glosses.txt, from: "https://example.org", licence: free, digest: {glosses}, has_terms: true}}
parts:
  cooccurrence: {{min_count: 1, dim: 12, window: 20}}
  quick_thought: {{min_count: 1, dim: 6, batch_size: 50, epochs: 2}}
join: {{words: 100, dim: 16}}
sets:
  - {{name: topics, files: [topics.all]}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("novels.txt.xz").write_bytes(lzma.compress("\n".join(made_up_lines(200)).encode()))
    Path("glosses.txt").write_text("common1, common2: a common1: word\nit is common1: so\n\nno terms\n")
    lines = [line for line in made_up_lines(40, seed=5) if line]
    Path("topics.all").write_text("\n".join(f"{number // 6 % 8} {line}" for number, line in enumerate(lines)))
    PARAMS.parent.mkdir(parents=True)
    digests = (digest_file(Path(name)).hex() for name in ("novels.txt.xz", "glosses.txt"))
    PARAMS.write_text(QUICK.format(**dict(zip(("novels", "glosses"), digests, strict=True))))
    return tmp_path


def test_the_stages_make_a_backbone_and_its_card(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text_corpora.main()
    assert CORPUS.read_text().endswith("\n\ncommon1, common2\na common1: word\nit is common1: so\n\nno terms\n\n")
    pretrain_texts.main()
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    assert backbone.architecture == "word_vectors-100x16"
    training = json.loads(TRAINING.read_text())
    assert training["weights"] == digest_file(WEIGHTS).hex() and list(training["parts"]) == [
        "cooccurrence",
        "quick_thought",
    ]
    before = WEIGHTS.read_bytes()
    pretrain_texts.main()
    assert WEIGHTS.read_bytes() == before, "parts that are there already are not made again"
    monkeypatch.setattr(text_card, "DRAWS", 2)
    text_card.main()
    (measured,) = json.loads(METRICS.read_text())
    assert min(measured["embedded"]) > 0.4, "chance is an eighth"
    assert f"| topics | {percent(statistics.mean(measured['embedded']))} |" in CARD.read_text()


def test_a_missing_or_another_corpus_is_told(project: Path) -> None:
    Path("glosses.txt").write_text("changed\n")
    with pytest.raises(BadSource, match=r"glosses\.txt has the digest \w+, and data/pretrain/texts/params\.yaml names"):
        text_corpora.main()
    Path("glosses.txt").unlink()
    with pytest.raises(BadSource, match=r"glosses\.txt is missing; Glosses .free. is from https://example\.org"):
        text_corpora.main()


def test_parameters_that_are_not_allowed_are_named(project: Path) -> None:
    for text in ("corpora: []", "corpora: [", "joins: {}"):
        PARAMS.write_text(text)
        with pytest.raises(BadParameters, match=r"params\.yaml"):
            read_text_params()


def test_the_shipped_weights_are_those_that_the_shipped_record_tells_of() -> None:
    training = json.loads(TRAINING.read_text())
    assert training["weights"] == digest_file(WEIGHTS).hex()
    assert WEIGHTS.stat().st_size <= 6_000_000
    assert training["params"] == read_text_params().model_dump(mode="json", by_alias=True)
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    assert backbone.architecture == training["architecture"] and backbone.layers == ("mean",)
    batch = stacked([backbone.preprocessing.prepare(text) for text in (b"A fine old house.", b"qwertzuiop")])  # type: ignore[attr-defined]
    found = backbone.features(batch)["mean"]
    assert torch.isfinite(found).all() and found[0].abs().sum() > 0 and not found[1].any()


def test_the_shipped_card_shows_the_measurements() -> None:
    shown, measured = CARD.read_text(), json.loads(METRICS.read_text())
    assert len(measured) == 3 and all(len(each["embedded"]) == text_card.DRAWS for each in measured)
    for each in measured:
        mean, plain = (statistics.mean(each[name]) for name in ("embedded", "plain"))
        assert f"| {each['name']} | {percent(mean)} | {percent(plain)} |" in shown
        assert mean > plain, "the embedded vectors are better with few labels"
