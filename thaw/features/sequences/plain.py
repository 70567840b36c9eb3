"""The sequence of a sound without a backbone: its log-mel spectrum, a place every 80 ms."""

from torch import Tensor

from thaw.backbones.places import Span
from thaw.kinds.sounds.framed import FRAMES_A_SECOND
from thaw.kinds.sounds.mels import log_mels

BANDS = 40
_FRAMES = 8
SPAN = Span(window=_FRAMES, stride=_FRAMES, least=_FRAMES, filled=_FRAMES)
NAME = "log_mel"


def plain_sequence(frames: Tensor) -> Tensor:
    """The mean of each mel band over 80 ms, float32 [F // 8, 40]; frames: float32 [F, hop]."""
    mels = log_mels(frames[None], frames.shape[1] * FRAMES_A_SECOND, BANDS)[0]
    whole = len(mels) // _FRAMES
    return mels[: whole * _FRAMES].view(whole, _FRAMES, BANDS).mean(1)
