"""The certificate as one self-contained HTML page."""

from collections.abc import Sequence

from markupsafe import Markup

from thaw.evaluation.certificate import words
from thaw.evaluation.certificate.figures import accuracy_figure, price_figure
from thaw.kinds.kind import Words
from thaw.pages.figures import png, svg
from thaw.pages.layout import render
from thaw.strategies.certificate.record import Certificate


def render_certificate(certificate: Certificate, title: str, examples: Words) -> str:
    """The page as HTML. examples: the words for them."""
    return render("evaluation/certificate/page.html.j2", {"title": title, **section_of(certificate, examples)})


def section_of(certificate: Certificate, examples: Words) -> dict[str, object]:
    """The values of `section.html.j2`, for the certificate's own page and for the report."""
    return {
        "certificate": certificate,
        "certificate_examples": examples,
        "certificate_verdict": words.verdict(certificate, examples),
        "certificate_remarks": words.remarks(certificate, examples),
        "certificate_followed": words.followed(certificate),
        "certificate_rulings": [(ruling, words.line(certificate, ruling, examples)) for ruling in certificate.rulings],
        "certificate_headings": words.headings(certificate),
        "certificate_scores": lambda entry: words.scores(certificate, entry),
        "certificate_lead": lambda entry: words.lead_of(certificate, entry),
        "certificate_accuracy": Markup(svg(accuracy_figure(certificate, examples), "certificate-accuracy")),  # noqa: S704  # matplotlib escapes its texts
        "certificate_price": Markup(svg(price_figure(certificate, examples), "certificate-price")),  # noqa: S704
    }


def figure_pngs(certificate: Certificate, examples: Words) -> Sequence[tuple[str, bytes]]:
    """The page's figures as PNG, by name."""
    return [
        ("accuracy", png(accuracy_figure(certificate, examples))),
        ("price", png(price_figure(certificate, examples))),
    ]
