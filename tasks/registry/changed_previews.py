"""Previews of the test examples whose answer changed, as far as their files are still there."""

from collections.abc import Sequence

from tasks.project.paths import MANIFEST
from thaw.dataset.manifest import read_manifest
from thaw.dataset.places import places_of
from thaw.foundation.errors import ThawError
from thaw.gates.changed import Change
from thaw.kinds.kind import Preview
from thaw.kinds.prepared import preview_of
from thaw.params.sections import Params
from thaw.params.values.kind import shown_as_read


def previews_of(changes: Sequence[Change], params: Params) -> dict[bytes, Preview]:
    """The previews by digest, without those that cannot be had: a promotion may be asked for where the examples are not."""
    if not changes or not MANIFEST.exists():
        return {}
    found: dict[bytes, Preview] = {}
    try:
        places = places_of(params.dataset)
        kind = shown_as_read(read_manifest(MANIFEST).settled_kind, params.backbone)
    except (ThawError, OSError):
        return {}
    for change in changes:
        try:
            reference = (change.digest, places.at(change.path))
            found[change.digest] = preview_of(reference, kind, params.dataset.limits, small=True)
        except (ThawError, OSError):  # gone, changed or damaged since the evaluation; the page names it all the same
            continue
    return found
