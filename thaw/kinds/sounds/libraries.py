"""The libraries that read and resample sounds, of the extra `sounds`."""

from typing import Any

from thaw.foundation.errors import BadParameters


def soundfile() -> Any:
    """The package soundfile. Raises BadParameters: it is not installed."""
    try:
        import soundfile as library
    except (ImportError, OSError) as error:
        raise _missing("read", "soundfile", error) from error
    return library


def soxr() -> Any:
    """The package soxr. Raises BadParameters: it is not installed."""
    try:
        import soxr as library
    except (ImportError, OSError) as error:
        raise _missing("resampled", "soxr", error) from error
    return library


def _missing(done: str, name: str, error: Exception) -> BadParameters:
    why = "is not installed" if isinstance(error, ImportError) else f"cannot be loaded ({error})"
    return BadParameters(f"sounds are {done} by the package {name}, which {why}; run `pip install 'thaw[sounds]'`")
