"""The preparation of images for an exported graph by Pillow alone, for the README of exports."""

from thaw.kinds.kind import Recipe

NOTE = """\
The values go from 0 to 255. Greys of more than 8 bits are scaled by the range of the training set, `greys` in `model.json`. Turn the image upright, put
transparent parts on white, and resize and crop it as in `model.json`. The pixels of a decoded JPEG photograph may differ by 1 of
255 from those in training, which changes a probability a little. DICOM files are not read by this program: it takes a frame of each as a grey image,
as Thaw's page on radiology says step by step."""
CODE = '''\
def with_8_bits(image, file_format):
    """Greys of more than 8 bits, scaled by the range of the training set; other images do not change."""
    if not image.mode.startswith(("I", "F")):
        return image
    greys, values = card["preprocessing"].get("greys", {}), np.asarray(image).astype(float)
    values = np.where(np.isfinite(values), values, 0)
    if windows := greys.get("windows"):
        shown = [np.clip((values - centre) / width + 0.5, 0, 1) for centre, width in windows]
        return Image.fromarray(np.rint(255 * np.stack(shown * (3 // len(shown)), -1)).astype(np.uint8))
    low, high = values.min(), values.max()
    if image.mode.startswith("I;16") or file_format == "PPM":
        low, high = 0, greys.get("top", 65535)
    elif greys.get("span"):
        low, high = greys["span"]
    elif low >= 0:
        low, high = 0, next((top for top in (1, 255, 65535) if high <= top), high)
    scaled = np.clip(np.rint((values - low) * 255 / ((high - low) or 1)), 0, 255)
    return Image.fromarray(scaled.astype(np.uint8))


def pixels_of(path):
    """uint8 [3, H, W]"""
    opened = Image.open(path)
    frames, frame = getattr(opened, "n_frames", 1), card["preprocessing"].get("greys", {}).get("frame", 1)
    if frame != 1:
        opened.seek(frames // 2 if frame == "middle" else min(frame, frames) - 1)
    image = with_8_bits(ImageOps.exif_transpose(opened), opened.format).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    steps = card["preprocessing"]
    resize, crop = steps["resize"], steps["crop"]
    if isinstance(resize, int):  # the shorter side
        width, height = image.size
        shorter = min(width, height)
        width, height = (resize * width // shorter, resize * height // shorter)
    else:
        height, width = resize
    image = image.resize((width, height), Image.Resampling[steps["interpolation"].upper()])
    if crop is not None:
        left, top = round((width - crop) / 2), round((height - crop) / 2)
        image = image.crop((left, top, left + crop, top + crop))
    return np.asarray(image).transpose(2, 0, 1)


def batch_of(paths):
    """The input of the graph."""
    return {card["input"]["name"]: np.stack([pixels_of(path) for path in paths])}
'''
RECIPE = Recipe(NOTE, ("pillow",), ("from PIL import Image, ImageOps",), CODE)
