"""What MLflow's registry lists of the model, kept beside the project's own store: as long as the store's files are as they were, MLflow is not loaded."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from tasks.registry.mlflow_store import STATE, is_local
from tasks.registry.outside_moves import notice
from tasks.registry.promotion_history import Event
from tasks.registry.registry import ModelVersion, open_registry
from thaw.foundation.files.atomic import write_bytes
from thaw.foundation.files.state import state_of
from thaw.params.sections import RegistryParams

KEPT = STATE / "registry.json"
_STORE = tuple(STATE / f"mlflow.db{ending}" for ending in ("", "-wal", "-journal"))
_State = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class Listing:
    """The registered model `name`: its versions, the newest first, and its history, the oldest entry first."""

    name: str
    versions: tuple[ModelVersion, ...]
    history: tuple[Event, ...]


@dataclass(frozen=True)
class _Kept:
    """A listing, and the state of the store's files from before to after it was read."""

    state: _State
    listing: Listing


_ADAPTER = TypeAdapter(_Kept)


def read_listing(params: RegistryParams) -> Listing:
    """The listing as it stands; a move outside Thaw is noticed first (see `notice`).

    Raises:
        Unreachable, RegistryError: see `Registry`.
    """
    kept = _read() if is_local() else None
    if kept is not None and kept.listing.name == params.name and kept.state == _state():
        return kept.listing
    registry = open_registry(params)
    notice(registry)
    before = _state()
    listing = Listing(registry.name, registry.versions(), registry.history())
    if is_local() and before == _state():
        write_bytes(KEPT, _ADAPTER.dump_json(_Kept(before, listing)))
    return listing


def _state() -> _State:
    return tuple(map(state_of, _STORE))


def _read() -> _Kept | None:
    try:
        return _ADAPTER.validate_json(KEPT.read_bytes())
    except (OSError, ValidationError):
        return None
