"""The common parts of every page: the templates, the look (`layout.html.j2`), and the wording of numbers."""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from thaw.foundation.files.display_names import shown
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.pages.previews import preview_html


def render(template: str, values: Mapping[str, object]) -> str:
    """A page as HTML, from a template below `thaw/`; names may hold anything, the templates escape all of them."""
    environment = Environment(
        loader=PackageLoader("thaw", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "shown": shown,
        "apart": apart,
        "coded": coded,
        "preview": preview_html,
    }
    return environment.get_template(template).render(values)


def apart(name: str) -> Markup:
    """A name as HTML, in its own direction of writing and apart from the text around it; attributes and titles of pages take `shown` instead."""
    return Markup("<bdi>{}</bdi>").format(shown(name)) if name else Markup("")


def coded(text: str) -> Markup:
    """Plain text as HTML: text between backticks becomes code, and all text is escaped."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def percent(share: float) -> str:
    """0.9312 as `93.1 %`; whole numbers without a decimal."""
    text = f"{100 * share:.1f}"
    return f"{text.removesuffix('.0')}\u202f%"


def points_of(difference: float) -> str:
    """0.052 as `5.2 points`."""
    return f"{100 * difference:.1f} points"


def points(estimate: Estimate) -> str:
    """An estimate of a difference as `+5.2 points (+4.1 to +6.3)`."""
    value, low, high = (f"{100 * part:+.1f}" for part in (estimate.value, estimate.low, estimate.high))
    return f"{value} points ({low} to {high})"
