"""The digest of synthetic speech, and of what a teacher makes of it."""

from blake3 import blake3

from thaw.params.sections.section import Section
from thaw.pretraining.sounds.lessons import Lessons
from thaw.pretraining.sounds.speech import Speech


def digest_of(*learnt: Speech | Lessons, settings: Section | None = None) -> str:
    """BLAKE3 of all arrays, and of settings if they are given; hex."""
    hasher = blake3()
    for each in learnt:
        for name, array in vars(each).items():
            hasher.update(name.encode())
            hasher.update(array.tobytes())
    if settings is not None:
        hasher.update(settings.model_dump_json().encode())
    return hasher.hexdigest()
