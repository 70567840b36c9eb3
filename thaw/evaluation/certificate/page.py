"""The certificate as one self-contained HTML page."""

from collections.abc import Sequence

from markupsafe import Markup

from thaw.evaluation.certificate import words
from thaw.evaluation.certificate.figures import accuracy_figure, price_figure
from thaw.pages.figures import png, svg
from thaw.pages.layout import render
from thaw.strategies.certificate.record import Certificate


def render_certificate(certificate: Certificate, title: str) -> str:
    """The page as HTML."""
    return render("evaluation/certificate/page.html.j2", {"title": title, **section_of(certificate)})


def section_of(certificate: Certificate) -> dict[str, object]:
    """What `section.html.j2` shows: the same on a page of its own and in the report."""
    return {
        "certificate": certificate,
        "certificate_verdict": words.verdict(certificate),
        "certificate_remarks": words.remarks(certificate),
        "certificate_followed": words.followed(certificate),
        "certificate_rulings": [(ruling, words.line(certificate, ruling)) for ruling in certificate.rulings],
        "certificate_headings": words.headings(certificate),
        "certificate_scores": lambda entry: words.scores(certificate, entry),
        "certificate_lead": lambda entry: words.lead_of(certificate, entry),
        "certificate_accuracy": Markup(svg(accuracy_figure(certificate), "certificate-accuracy")),  # noqa: S704  # matplotlib escapes its texts
        "certificate_price": Markup(svg(price_figure(certificate), "certificate-price")),  # noqa: S704
    }


def figure_pngs(certificate: Certificate) -> Sequence[tuple[str, bytes]]:
    """The page's figures as PNG, by name."""
    return [("accuracy", png(accuracy_figure(certificate))), ("price", png(price_figure(certificate)))]
