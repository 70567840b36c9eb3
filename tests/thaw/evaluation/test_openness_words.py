"""What tuning found, said so that nobody is misled."""

from dataclasses import replace

from openness_rows import QUICK, blobs, openness_on_digits

from thaw.evaluation.openness_words import describe
from thaw.heads import fit_head
from thaw.heads.open_set.fitted import Tuning
from thaw.heads.open_set.fitting import fit_openness
from thaw.kinds.kind import ANY
from thaw.params.sections import OpennessParams
from thaw.targets.labelled import LabelledFeatures


def tuning_of(rows: LabelledFeatures, params: OpennessParams) -> Tuning:
    found = fit_openness(fit_head(rows, None, QUICK), rows, None, params=params, head_params=QUICK)
    assert found is not None
    return found.tuning


def test_the_figures_their_bound_and_what_they_hold_for() -> None:
    tuning = openness_on_digits().tuning
    first, *rest = describe(tuning, ANY)
    assert f"of {tuning.n} held-out examples of classes left out in turn" in first
    assert f"at most {100 * tuning.chosen.upper:.1f}".removesuffix(".0") in first and "95 % confidence" in first
    assert any("the bound is for examples like those of the classes left out" in line for line in rest)
    assert not any("cannot be shown" in line for line in rest)


def test_too_few_rows_say_how_many_it_takes() -> None:
    said = "\n".join(describe(tuning_of(blobs((8, 8, 8)), OpennessParams(score="neighbours")), ANY))
    assert "5 % cannot be shown with 24 examples" in said and "it takes 59 or more" in said
    assert "raise openness.false_accepts" in said
    assert "of one class" not in said, "none is accepted, so none is the worst"


def test_two_classes_say_how_little_they_say() -> None:
    assert any(
        "two classes say little" in line
        for line in describe(tuning_of(blobs((8, 8)), OpennessParams(score="auto")), ANY)
    )


def test_a_fine_tuned_backbone_says_what_it_has_seen() -> None:
    tuning = openness_on_digits().tuning
    told = [any("fine-tuned" in line for line in describe(replace(tuning, seen=seen), ANY)) for seen in (False, True)]
    assert told == [False, True]


def test_many_rejected_known_images_say_what_to_try() -> None:
    tuning = openness_on_digits().tuning
    bad = replace(tuning, candidates=(replace(tuning.chosen, false_rejects=0.6),))
    assert any("raise openness.false_accepts, take another backbone" in line for line in describe(bad, ANY))


def test_a_background_class_is_said() -> None:
    said = describe(tuning_of(blobs((30, 30, 30)), OpennessParams(background="class 2")), ANY)
    assert "of the background class" in said[0] and not any("left out" in line for line in said)
