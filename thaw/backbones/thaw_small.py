"""The architecture of the small backbone that ships with the repository."""

from __future__ import annotations

from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

ARCHITECTURE = "thaw_small"
FEATURE_DIM = 256


def build_small_resnet(num_classes: int = 1000) -> ResNet:
    """A ResNet of three stages for small images, with torchvision's random initialisation.

    Layers: a 3x3 stem of 64 planes; one BasicBlock each of 64, 128 and 256 planes; global average pooling; the Linear layer
    `fc`, 256 to `num_classes`. The stem and every stage halve the resolution. 1,225,024 parameters without `fc`.

    Input: float32 [N, 3, 32, 32], normalised; any size from 16x16 up works. Output: float32 [N, num_classes]. The feature is
    the input of `fc`, float32 [N, 256]. torchvision's names are kept (`conv1`, `layer1`, ..., `fc`); `maxpool` and `layer4`
    are identities, so torchvision's own forward pass runs unchanged.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2 (the CIFAR variant's stem).
    """
    model = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=num_classes)
    model.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()  # type: ignore[assignment]
    model.layer4 = nn.Identity()  # type: ignore[assignment]
    model.fc = nn.Linear(FEATURE_DIM, num_classes)
    return model
