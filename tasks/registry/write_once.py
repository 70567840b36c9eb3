"""Where the moves of the alias `champion` are settled: of two who write at once exactly one succeeds, wherever they are.

Of all that MLflow stores, parameters of a run alone can be written once and never changed; tags and aliases take whatever comes last. So a move is settled by a
parameter, of the oldest version's run, that has its number.
"""

from dataclasses import dataclass

from tasks.registry.registry import Registry, explained, put
from thaw.foundation.errors import RegistryError

MOVE = "thaw.promotion.{}.{:06}"
"""The parameter that settles a move of the model that was registered at that time (ms): one of the same name may have been deleted before."""
MADE = "moved.{:06}"
"""The tag of the registered model that says that the alias has followed."""


@dataclass(frozen=True)
class Ledger:
    """The moves of one registered model, by their numbers."""

    registry: Registry

    def settle(self, move: int, text: str) -> str:
        """Say what the move with that number is, unless somebody was first; returns what stands, which is the same for all who ask, for good.

        Raises:
            RegistryError: no version has a run that takes it.
        """
        from mlflow.exceptions import MlflowException

        run = self._run()
        if run is None:
            raise RegistryError(
                f"no version of {self.registry.name} has an MLflow run to note its promotions in; `thaw run` makes one"
            )
        with explained():
            try:
                self.registry.client.log_param(run, self._name(move), text)
            except MlflowException:
                if self._written(run, move) is None:
                    raise
        return self._written(run, move) or text

    def settled(self, move: int) -> str | None:
        """What the move with that number is; None where nobody has said it."""
        run = self._run()
        return None if run is None else self._written(run, move)

    def mark_made(self, move: int) -> None:
        """Say that the alias has followed that move: should it stand elsewhere from now on, another hand has moved it."""
        registry = self.registry
        put(lambda: registry.client.set_registered_model_tag(registry.name, MADE.format(move), "made"))

    def is_made(self, move: int) -> bool:
        """Whether `mark_made` was told of it."""
        with explained():
            return MADE.format(move) in self.registry.client.get_registered_model(self.registry.name).tags

    def _run(self) -> str | None:
        """The oldest version's run, of those that can be written: racing processes agree on it, because new versions come after it."""
        from mlflow.exceptions import MlflowException

        for version in reversed(self.registry.versions()):
            with explained():
                try:
                    if self.registry.client.get_run(version.run_id).info.lifecycle_stage == "active":
                        return version.run_id
                except MlflowException as error:
                    if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                        raise
        return None

    def _written(self, run: str, move: int) -> str | None:
        with explained():
            found = self.registry.client.get_run(run).data.params.get(self._name(move))
        return None if found is None else str(found)

    def _name(self, move: int) -> str:
        with explained():
            model = self.registry.client.get_registered_model(self.registry.name)
        return MOVE.format(model.creation_timestamp, move)
