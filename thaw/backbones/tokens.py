"""Tokens of a layer: which of them are patches, and which stand before the patches."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Tokens:
    """The tokens of a network's layers [B, T, C]. prefix: the number of tokens before the patches; they are a class token, if the network has one, and
    registers. A network states them in its attribute `tokens`.

    Registers hold no place of the input, and are in no pooling: Darcet et al., "Vision Transformers Need Registers", ICLR 2024, section 3.
    """

    prefix: int
    has_class: bool

    def patches(self, output: Tensor) -> Tensor:
        """The patches alone: [B, T - prefix, C]."""
        return output[:, self.prefix :]


def tokens_of(model: nn.Module) -> Tokens | None:
    """The tokens that a network states; None: all its places are alike."""
    tokens: Tokens | None = getattr(model, "tokens", None)
    return tokens
