"""What label sets have not got."""

from thaw.foundation.errors import BadParameters
from thaw.params.sections import CompareParams, OpennessParams


def refuse_certificate(params: CompareParams) -> None:
    """Say that label sets have no certificate.

    Raises:
        BadParameters: one is asked for.
    """
    if params.strategies:
        raise BadParameters(
            f"compare.strategies: [{', '.join(params.strategies)}] given; the certificate compares models of one label an image, and the listing has sets "
            "of labels; `thaw compare --off` asks for none"
        )


def refuse_openness(params: OpennessParams) -> None:
    """Say that label sets need no `neither`: a model names nothing where it finds nothing.

    Raises:
        BadParameters: inputs of no known class are to be told.
    """
    if params.score != "none" or params.background is not None:
        given = f"score: {params.score}" if params.score != "none" else f"background: {params.background}"
        raise BadParameters(
            f"openness.{given} given; it works on one label an image, and the listing has sets of labels: give images that show no class an empty set "
            "(`|` alone), and set openness.score to none and openness.background to null"
        )
