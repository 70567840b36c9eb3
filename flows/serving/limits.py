"""What a server takes on, and what it refuses."""

from dataclasses import dataclass, field

from thaw.kinds.kind import Limits as ExampleLimits


@dataclass(frozen=True)
class Limits:
    """body_mb: of one request, in MB (10^6 bytes). example: of one example by itself. in_flight: requests to `/predict` at once.

    timeout_s: for a request's body to come in, and again for its answer. patience_s: how long an example waits for others that are on their way.
    """

    body_mb: float = 16
    example: ExampleLimits = field(default_factory=ExampleLimits)
    examples: int = 32
    in_flight: int = 32
    timeout_s: float = 30
    patience_s: float = 0.003

    @property
    def body_bytes(self) -> int:
        """The same as `body_mb`."""
        return int(self.body_mb * 1e6)
