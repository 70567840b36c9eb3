"""The ledger that settles the moves of the alias `champion`: of two processes that write at once exactly one succeeds, on any machines.

In MLflow only the parameters of a run can be written once and never changed; tags and aliases take the last value. So a move is settled by a parameter with
its number, in the run of the oldest version.
"""

from dataclasses import dataclass

from tasks.registry.registry import Registry, explained, put
from thaw.foundation.errors import RegistryError

MOVES = "thaw.promotion."
"""The beginning of the names of parameters that settle moves."""
MOVE = MOVES + "{}.{:06}"
"""The parameter that settles a move. It holds the time (ms) of the model's registration, because a model of the same name may have been deleted before."""
MADE = "moved.{:06}"
"""The tag of the registered model for a move that the alias has followed."""


@dataclass(frozen=True)
class Ledger:
    """The moves of one registered model, by their numbers."""

    registry: Registry

    def settle(self, move: int, text: str) -> str:
        """Write the move with that number, unless another process was first; returns the settled move, which never changes.

        Raises:
            RegistryError: no version has a run that can take the parameter.
        """
        from mlflow.exceptions import MlflowException

        run = self._run()
        if run is None:
            raise RegistryError(
                f"no version of {self.registry.name} has an MLflow run that can record its promotions; `thaw run` makes one"
            )
        with explained():
            try:
                self.registry.client.log_param(run, self._name(move), text)
            except MlflowException:
                if self._written(run, move) is None:
                    raise
        return self._written(run, move) or text

    def settled(self, move: int) -> str | None:
        """The settled move with that number; None if there is none."""
        run = self._run()
        return None if run is None else self._written(run, move)

    def mark_made(self, move: int) -> None:
        """Record that the alias has followed that move; another place of the alias after that was set outside Thaw."""
        registry = self.registry
        put(lambda: registry.client.set_registered_model_tag(registry.name, MADE.format(move), "made"))

    def is_made(self, move: int) -> bool:
        """Whether `mark_made` has recorded that move."""
        with explained():
            return MADE.format(move) in self.registry.client.get_registered_model(self.registry.name).tags

    def _run(self) -> str | None:
        """The run of the oldest version whose run can be written. Racing processes agree on it, because new versions come after it."""
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
            text = self.registry.client.get_run(run).data.params.get(self._name(move))
        return None if text is None else str(text)

    def _name(self, move: int) -> str:
        with explained():
            model = self.registry.client.get_registered_model(self.registry.name)
        return MOVE.format(model.creation_timestamp, move)
