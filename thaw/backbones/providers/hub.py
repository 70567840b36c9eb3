"""Downloads by huggingface_hub into its own cache: their errors as plain sentences with the remedy by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from thaw.backbones.providers.packages import package
from thaw.foundation.errors import BadWeights, Unreachable

PLACE = "https://huggingface.co"


@contextmanager
def brought(name: str, repository: str, extra: str) -> Iterator[None]:
    """A context in which a library reads the files of a repository, from the cache or from the hub.

    Raises:
        Unreachable: they are not in the cache, and cannot be downloaded.
        BadWeights: they are gated, damaged, or there are none.
    """
    errors, constants = package("huggingface_hub.errors", extra), package("huggingface_hub.constants", extra)
    by_hand = (
        f"or lay the files there by hand: `hf download {repository}` on a machine that is online fills the folder "
        f"models--{repository.replace('/', '--')}, which belongs into {constants.HF_HUB_CACHE}"
    )
    try:
        yield
    except errors.GatedRepoError as error:
        raise BadWeights(
            f"`{name}` is gated: agree to its terms on {PLACE}/{repository}, run `hf auth login`, and try again"
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.RemoteEntryNotFoundError) as error:
        raise BadWeights(
            f"`{name}`: {PLACE}/{repository} has no such weights; look there for the names of others"
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, errors.HfHubHTTPError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(". ")[:160] or type(error).__name__
        raise Unreachable(
            f"`{name}` is not in the cache of Hugging Face, and cannot be downloaded ({reason}); try again when online, {by_hand}"
        ) from error
