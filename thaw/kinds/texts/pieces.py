"""Pieces of words, by a network's own tokenizer. These functions stand in the README of exports too, so they use nothing but the package tokenizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def pieces_of(tokenizer: Tokenizer, text: str, longest: int | None) -> list[int]:
    """The numbers of a text's pieces: windows of at most `longest` one after another, each with the special pieces at its ends; None: the whole text is one.

    All windows but the last one are full, and a quarter of each is the end of the one before it.
    """
    before, after = special_pieces(tokenizer)
    pieces = tokenizer.encode(text, add_special_tokens=False).ids
    if longest is None:
        return [*before, *pieces, *after]
    room = longest - len(before) - len(after)
    shared = room // 4
    starts = range(0, max(len(pieces) - shared, 1), room - shared)
    return [number for start in starts for number in (*before, *pieces[start : start + room], *after)]


def special_pieces(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The numbers of the pieces that a tokenizer sets before and after every text."""
    encoding = tokenizer.encode("a")
    special = encoding.special_tokens_mask
    start, end = special.index(0), len(special) - special[::-1].index(0)
    return encoding.ids[:start], encoding.ids[end:]
