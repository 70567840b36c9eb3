"""Networks of other libraries, by name: `timm/NAME`, `hf/NAME-OR-FOLDER`, `torchvision/NAME`. Each library is imported where it is asked for."""
