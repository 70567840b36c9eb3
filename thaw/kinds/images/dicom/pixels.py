"""The stored pixels of a frame of a DICOM image."""

from typing import Any

import numpy as np

from thaw.foundation.errors import BadExample
from thaw.kinds.images.dicom.codestreams import Size, size_of
from thaw.kinds.images.dicom.header import PALETTE, Header
from thaw.kinds.images.dicom.library import INSTALL, pydicom
from thaw.kinds.images.dicom.reading import PIXELS
from thaw.kinds.images.dicom.view import Array, by_value


def greys_of(dataset: Any, header: Header, frame: int = 0) -> Array:
    """The stored values of a frame of greys: integers or floats [H, W].

    Raises:
        BadExample: the pixels are truncated, or compressed in a way that is not read.
    """
    return _decoded(dataset, header, frame)[0]


def colours_of(dataset: Any, header: Header, frame: int = 0) -> Array:
    """A frame of colours or of a palette as RGB: uint8 [H, W, 3].

    Raises:
        BadExample: see `greys_of`.
    """
    stored, colouring = _decoded(dataset, header, frame)
    if header.colouring == PALETTE:
        return by_value(stored, lambda values: _of_palette(values, dataset))
    if colouring not in ("RGB", "YBR_ICT", "YBR_RCT"):
        raise BadExample("is a DICOM file with colours of a form that is not read; save it as RGB")
    top = 2.0**header.bits - 1
    return by_value(stored, lambda values: np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8))


def _decoded(dataset: Any, header: Header, frame: int) -> tuple[Array, str]:
    """The stored samples of a frame, and their photometric interpretation after the decoding."""
    named = [keyword for keyword in PIXELS if dataset.get(keyword)]
    if not named:
        raise BadExample("is a DICOM file without pixels, or truncated before them")
    syntax = dataset.file_meta.TransferSyntaxUID
    decoder, plugin = _decoder_of(syntax)
    if plugin:
        _refuse_other_size(dataset, header, frame)
    else:
        _refuse_too_few(len(dataset[named[0]].value), dataset, header, frame)
    options = {"decoding_plugin": plugin} if plugin else {}
    samples, properties = decoder.as_array(dataset, index=frame, **options)
    return samples, str(properties["photometric_interpretation"])


def _decoder_of(syntax: str) -> tuple[Any, str]:
    """The decoder of a transfer syntax, and its plugin: always the same, so that a file gives the same pixels everywhere; empty: nothing is compressed."""
    library = pydicom()
    uid = library.uid.UID(syntax)
    if uid in library.uid.MPEGTransferSyntaxes:
        raise BadExample("is a DICOM video, which is not read; save its frames as files of their own")
    try:
        decoder = library.pixels.get_decoder(uid)
    except NotImplementedError:
        raise BadExample("is a DICOM file with a compression that is not read; save it uncompressed") from None
    if not uid.is_encapsulated:
        return decoder, ""
    plugin = "pyjpegls" if uid in library.uid.JPEGLSTransferSyntaxes else "pylibjpeg"
    if plugin not in decoder.available_plugins:
        raise BadExample(f"is a compressed DICOM file, and a package that decodes it is not installed: {INSTALL}")
    return decoder, plugin


def _refuse_other_size(dataset: Any, header: Header, frame: int) -> None:
    """Refuse a compressed frame that states another size than the header, whose size is known to fit into the memory."""
    library = pydicom()
    if dataset.file_meta.TransferSyntaxUID in library.uid.RLETransferSyntaxes:
        return
    size = size_of(library.encaps.get_frame(dataset.PixelData, frame, number_of_frames=header.frames))
    if size is None:
        raise BadExample("is a DICOM file whose compressed pixels are damaged")
    if size != Size(header.width, header.height, header.samples):
        raise BadExample("is a DICOM file whose header and compressed pixels have different sizes")


def _refuse_too_few(nbytes: int, dataset: Any, header: Header, frame: int) -> None:
    """Refuse pixels that are not whole; those of later frames are not read, so they need not be."""
    samples = header.width * header.height * header.samples
    if header.colouring == "YBR_FULL_422":
        samples = samples * 2 // 3
    bits = samples * int(dataset.BitsAllocated)
    needed, each = (bits * (frame + 1) + 7) // 8, (bits + 7) // 8
    if nbytes < needed:
        raise BadExample(f"is a truncated DICOM file: {nbytes:,} of {needed:,} bytes of its pixels are there")
    if header.frames > 1 and nbytes < each * header.frames:
        dataset.NumberOfFrames = max(frame + 1, nbytes // each)


def _of_palette(values: Array, dataset: Any) -> Array:
    """The colours of stored values, uint8 [..., 3] (PS3.3, C.7.6.3.1.5)."""
    colours = pydicom().pixels.apply_color_lut(values, dataset)[..., :3]
    return np.asarray(colours if colours.dtype == np.uint8 else np.rint(colours / 257.0).astype(np.uint8))
