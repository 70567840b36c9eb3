"""What a DICOM file says of the person whom it shows. It is personal: it is compared, and written nowhere."""

from thaw.foundation.errors import BadExample
from thaw.kinds.images.dicom.file import DicomFile
from thaw.kinds.images.dicom.header import Header
from thaw.kinds.images.dicom.reading import is_dicom


def patient_of(content: bytes) -> str | None:
    """The patient's number in a DICOM file, which is personal; None: there is none, or the file is of another format."""
    header = _dicom_header(content)
    return None if header is None else header.patient


def study_date_of(content: bytes) -> str | None:
    """The day of the study in a DICOM file, such as 20261130, which is personal; None: there is none, or the file is of another format."""
    header = _dicom_header(content)
    return None if header is None else header.study_date


def _dicom_header(content: bytes) -> Header | None:
    if not is_dicom(content):
        return None
    try:
        return DicomFile(content, 0).header
    except BadExample:  # it is rejected when it is read
        return None
