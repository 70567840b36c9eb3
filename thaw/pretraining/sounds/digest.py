"""The digest of synthetic speech."""

from blake3 import blake3

from thaw.params.sections.section import Section
from thaw.pretraining.sounds.speech import Speech


def digest_of(speech: Speech, settings: Section | None = None) -> str:
    """BLAKE3 of all arrays, and of settings if they are given; hex."""
    hasher = blake3()
    for name, array in vars(speech).items():
        hasher.update(name.encode())
        hasher.update(array.tobytes())
    if settings is not None:
        hasher.update(settings.model_dump_json().encode())
    return hasher.hexdigest()
