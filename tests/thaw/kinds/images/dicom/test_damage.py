"""Damaged and hostile files are refused with a reason: no crash, no hang, and no memory for what a header claims."""

import io
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import PACKAGED, damaged_copies, grey_dataset, grey_file, written
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from thaw.foundation.errors import BadExample
from thaw.kinds.images.dicom import library
from thaw.kinds.images.dicom.codestreams import Size, size_of
from thaw.kinds.images.files import decode, open_image

MOST = 4_000_000
GREYS = np.arange(64, dtype=np.uint16).reshape(8, 8)
COMPRESSED = (
    "SC_rgb_jpeg_dcmtk",
    "SC_rgb_jpeg_gdcm",
    "MR_small_jpeg_ls_lossless",
    "MR_small_jp2klossless",
    "MR_small_RLE",
)


@pytest.mark.parametrize("name", ["MR_small", "ExplVR_BigEnd", *COMPRESSED])
def test_a_damaged_file_is_decoded_or_refused(name: str) -> None:
    refused = 0
    for content in damaged_copies((PACKAGED / f"{name}.dcm").read_bytes(), seed=len(name), flips=40):
        try:
            assert decode(content, MOST).mode == "RGB"
        except BadExample:
            refused += 1
    assert refused >= 3  # files that were cut


@pytest.mark.parametrize("name", ["MR_small", *COMPRESSED])
def test_a_file_cut_within_its_pixels_is_refused(name: str) -> None:
    content = (PACKAGED / f"{name}.dcm").read_bytes()
    with pytest.raises(BadExample, match=r"truncated|damaged"):
        decode(content[: len(content) * 3 // 4], MOST)


def test_a_header_of_65535_by_65535_pixels_is_refused_before_decoding() -> None:
    dataset = grey_dataset(GREYS, Rows=65535, Columns=65535)
    with pytest.raises(BadExample, match=r"has 65535 x 65535 pixels, 4294\.8 megapixels"):
        open_image(written(dataset), MOST)


@pytest.mark.parametrize(
    ("name", "marker"), [("MR_small_jp2klossless", b"\xff\x4f\xff\x51"), ("SC_rgb_jpeg_dcmtk", b"\xff\xc0")]
)
def test_a_compressed_image_of_another_size_than_its_header_is_refused(name: str, marker: bytes) -> None:
    content = bytearray((PACKAGED / f"{name}.dcm").read_bytes())
    at = content.index(marker) + (8 if marker == b"\xff\x4f\xff\x51" else 5)
    content[at : at + (8 if marker == b"\xff\x4f\xff\x51" else 4)] = (b"\x00\x00\xff\xff" * 2)[
        : 8 if len(marker) == 4 else 4
    ]
    with pytest.raises(BadExample, match="header and compressed pixels have different sizes"):
        decode(bytes(content), MOST)


def test_sizes_in_codestreams(picture_folder: Path) -> None:
    assert size_of((picture_folder / "ants" / "ant-0.jpg").read_bytes()) == Size(32, 24, 3)
    assert size_of(b"\xff\xd8" + 20 * b"\xff") is None
    assert size_of(b"\xff\xd8\xff\xe0\x00\x00" + 4 * b"\x00") is None
    assert size_of(b"\xff\x4f\xff\x51\x00\x29") is None
    assert size_of(b"") is None


def test_a_deflated_file_is_read_and_a_bomb_is_refused() -> None:
    dataset = grey_dataset(np.zeros((8, 8), np.uint8))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = written(dataset)
    assert decode(content, MOST).size == (8, 8)
    start = 144 + int.from_bytes(content[140:144], "little")
    header = zlib.decompress(content[start:], -zlib.MAX_WBITS)
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeezed.compress(header) + b"".join(squeezed.compress(bytes(2**20)) for _ in range(200)) + squeezed.flush()
    assert open_image(content[:start] + bomb, MOST).size == (8, 8)
    without_length = content[:132] + content[144:start] + bomb
    with pytest.raises(BadExample, match="deflated DICOM file with a damaged header"):
        open_image(without_length, MOST)
    with pytest.raises(BadExample, match="decompression bomb"):
        decode(content[:start] + bomb, MOST)


def test_a_panic_of_a_decoder_in_rust_is_a_reason(capfd: pytest.CaptureFixture[str]) -> None:
    for content in damaged_copies((PACKAGED / "MR_small_RLE.dcm").read_bytes(), seed=0, flips=60):
        try:
            decode(content, MOST)
        except BadExample as error:
            if "PanicException" in str(error):
                assert "panicked" in capfd.readouterr().err
                return
    pytest.fail("no damage made the decoder panic; its guard may no longer be needed")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"PhotometricInterpretation": "ARGB"}, "colours of a form that is not read"),
        ({"PhotometricInterpretation": "RGB"}, "1 samples a pixel, which does not fit RGB"),
        ({"BitsStored": 20, "HighBit": 19}, "20 of 16 bits a sample"),
        ({"PhotometricInterpretation": None}, "lacks Photometric Interpretation"),
        ({"Rows": 0}, "has no pixels"),
        ({"PixelData": b""}, "without pixels"),
        ({"PixelData": bytes(100)}, "100 of 128 bytes of its pixels are there"),
    ],
)
def test_a_header_that_cannot_be_is_refused(header: dict[str, object], reason: str) -> None:
    with pytest.raises(BadExample, match=reason):
        decode(grey_file(GREYS, **header), MOST)


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("1.2.840.10008.1.2.4.102", "is a DICOM video"),
        ("1.2.840.10008.1.2.4.92", "compression that is not read"),
        (JPEGBaseline8Bit, "compressed pixels are damaged"),
        (JPEG2000Lossless, "compressed pixels are damaged"),
    ],
)
def test_other_compressions_are_refused(syntax: str, reason: str) -> None:
    dataset = grey_dataset(GREYS)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([b"no picture"])
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(BadExample, match=reason):
        decode(written(dataset), MOST)


def test_reasons_and_logs_quote_nothing_of_the_header(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    names = dict.fromkeys(("PatientName", "PatientID", "InstitutionName", "PatientBirthDate"), "19011231")
    content = grey_file(GREYS, **names, NumberOfFrames=1).replace(b"19011231", b"Mustermn")
    said = ""
    for damaged in damaged_copies(content, seed=1, flips=60):
        try:
            decode(damaged, MOST)
        except BadExample as error:
            said += str(error)
            assert error.__cause__ is None or "Mustermn" not in str(error.__cause__)
    out = capfd.readouterr()
    assert said
    assert "Mustermn" not in said + caplog.text + out.out + out.err


def test_the_packages_are_named_where_they_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = grey_file(GREYS)
    library._silenced.cache_clear()
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(BadExample, match=r"pip install 'thaw\[dicom\]'"):
        decode(content, MOST)


def test_the_package_is_loaded_for_dicom_alone(picture_folder: Path) -> None:
    photo = next((picture_folder / "ants").iterdir())
    program = (
        "import sys; from pathlib import Path; from thaw.kinds.images.files import decode;"
        "from thaw.kinds.images.dicom.stated import patient_of;"
        f"content = Path({str(photo)!r}).read_bytes(); decode(content, 10**6); patient_of(content);"
        "print('pydicom' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_a_file_without_preamble_is_read_in_each_encoding() -> None:
    whole = (PACKAGED / "CT_small.dcm").read_bytes()
    expected = np.asarray(decode(whole, MOST))
    dataset = pydicom.dcmread(io.BytesIO(whole))
    for implicit, little in ((True, True), (False, True), (False, False)):
        bare = pydicom.Dataset({element.tag: element for element in dataset if element.tag.group != 0xFFFC})
        if not little:
            bare.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        content = written(bare, implicit_vr=implicit, little_endian=little)
        assert content[128:132] != b"DICM"
        np.testing.assert_array_equal(np.asarray(decode(content, MOST)), expected)
