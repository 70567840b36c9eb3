"""The packages that read DICOM files, of the extra `dicom`."""

import logging
import warnings
from functools import cache
from typing import Any

from thaw.foundation.errors import BadExample

INSTALL = "run `pip install 'thaw[dicom]'`"


def pydicom() -> Any:
    """The package pydicom. Raises BadExample: it is not installed."""
    try:
        return _silenced()
    except ImportError as error:
        raise BadExample(f"is a DICOM file, which the package pydicom reads; it is not installed: {INSTALL}") from error


@cache
def _silenced() -> Any:
    """The package without its checks of values, warnings and log records, because these quote headers, such as names."""
    import pydicom
    import pydicom.config
    import pydicom.encaps
    import pydicom.pixels
    import pydicom.uid

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"pydicom\b")
    return pydicom
