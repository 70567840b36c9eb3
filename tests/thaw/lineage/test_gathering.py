"""Finding a manifest's images in a folder that people have gone on working in."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.dataset.manifest import TRAIN, Example, Manifest, build_manifest
from thaw.dataset.places import Places
from thaw.foundation.files.atomic import digest_bytes, digest_file
from thaw.lineage.gathering import find_examples, link_examples

Draw = Callable[[Path, int], Path]


def manifest_of(folder: Path) -> Manifest:
    """Every file of a folder, as it is now."""
    return build_manifest(
        Example(
            digest_file(path),
            path.relative_to(folder).as_posix(),
            "ants",
            TRAIN,
            None,
            (24, 32, 3),
            path.stat().st_size,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )


def test_images_that_stayed_are_found_where_they_were(picture_folder: Path) -> None:
    manifest = manifest_of(picture_folder)
    found = find_examples(manifest, Places(picture_folder))
    assert found.complete and len(found.files) == len(manifest) == 12
    assert all(path == picture_folder / name for name, path in found.files.items())


def test_moved_images_are_found_by_their_bytes_and_laid_out_as_they_were(
    picture_folder: Path, draw: Draw, tmp_path: Path
) -> None:
    manifest = manifest_of(picture_folder)
    (picture_folder / "wasps").mkdir()
    (picture_folder / "ants/ant-0.jpg").rename(picture_folder / "wasps/was an ant.jpg")
    draw(picture_folder / "ants/new.jpg", 7)
    found = find_examples(manifest, Places(picture_folder))
    assert found.complete and found.files["ants/ant-0.jpg"].name == "was an ant.jpg"
    link_examples(found, tmp_path / "then")
    assert manifest_of(tmp_path / "then").table.equals(manifest.table), (
        "the new image is not there, the moved one is back"
    )


def test_what_is_gone_and_what_is_changed_is_told_apart(picture_folder: Path, draw: Draw) -> None:
    manifest = manifest_of(picture_folder)
    (picture_folder / "bees/bee-1.png").unlink()
    draw(picture_folder / "bees/bee-2.png", 999)
    found = find_examples(manifest, Places(picture_folder))
    assert (found.gone, found.changed) == (("bees/bee-1.png",), ("bees/bee-2.png",)) and not found.complete


def test_without_the_folder_all_are_gone(picture_folder: Path, tmp_path: Path) -> None:
    found = find_examples(manifest_of(picture_folder), Places(tmp_path / "nowhere"))
    assert len(found.gone) == 12 and not found.files


def test_one_file_serves_every_copy_of_it(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"same")
    manifest = manifest_of(tmp_path)
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").rename(tmp_path / "c.png")
    assert find_examples(manifest, Places(tmp_path)).complete


@settings(max_examples=40)
@given(contents=st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=6), data=st.data())
def test_every_row_is_found_gone_or_changed_and_what_is_found_has_its_digest(
    contents: list[bytes], data: st.DataObject
) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        for number, content in enumerate(contents):
            (folder / f"{number}.png").write_bytes(content)
        manifest = manifest_of(folder)
        for number in range(len(contents)):
            match data.draw(st.sampled_from(["stays", "goes", "changes", "moves"])):
                case "goes":
                    (folder / f"{number}.png").unlink()
                case "changes":
                    (folder / f"{number}.png").write_bytes(b"other bytes")
                case "moves":
                    (folder / f"{number}.png").rename(folder / f"moved-{number}.png")
        found = find_examples(manifest, Places(folder))
        names = [*found.files, *found.gone, *found.changed]
        assert sorted(names) == [one.path for one in manifest.examples()]
        digests = {one.path: one.digest for one in manifest.examples()}
        assert all(digest_bytes(path.read_bytes()) == digests[name] for name, path in found.files.items())
        left = {digest_file(path) for path in folder.iterdir()}
        assert all(digests[name] not in left for name in (*found.gone, *found.changed))
