"""The frame of every figure: SVG that follows the page's colours, or PNG on white.

The module leaves pyplot's state alone. Names of classes are never read as mathematics. The colours are blue and vermilion, which colour-blind people can tell
apart (Okabe and Ito, "Color Universal Design", 2008).
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, MUTED = "#101112", "#656667"
"""The colours of text and lines; in SVG the page's own colours replace them."""
BLUE, VERMILION, DEEP_BLUE = "#2b7bba", "#d55e00", "#0b5394"


def svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element for a page, with ids that start with `name`; the same figure gives the same text."""
    buffer = io.StringIO()
    FigureCanvasSVG(figure)
    options = {"svg.fonttype": "none", "svg.hashsalt": name}
    with mpl.rc_context(options), _quiet():  # type: ignore[arg-type]  # matplotlib lists its keys as literals
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace("<metadata>", "<metadata hidden>")
    text = re.sub(r"<metadata.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font: \1 system-ui, sans-serif", text)
    return text.replace(INK, "currentColor").replace(MUTED, "var(--muted, currentColor)")


def png(figure: Figure) -> bytes:
    """The figure as PNG on white, 144 dots an inch."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    with _quiet():
        figure.savefig(buffer, format="png", dpi=144, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


@contextmanager
def _quiet() -> Iterator[None]:
    """A context without warnings about letters that the font lacks; such letters are drawn as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one plain pair of axes; width and height are in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    plain(axes)
    return figure, axes


def plain(axes: Axes) -> None:
    """Remove two of the four lines around the axes, and the background."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=INK, labelsize=8, color=MUTED)
    axes.set_facecolor("none")


def percent_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """Show the axis `x` or `y` from `low` to `high` in percent."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=None))
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
