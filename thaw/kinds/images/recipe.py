"""The preparation of images for an exported graph by Pillow alone, for the README of exports."""

from thaw.kinds.kind import Recipe

NOTE = """\
The values go from 0 to 255. Turn the image upright, put transparent parts on white, and resize and crop it as in `model.json`. The pixels of a decoded JPEG
photograph may differ by 1 of 255 from those in training, which changes a probability a little."""
CODE = '''\
def pixels_of(path):
    """uint8 [3, H, W]"""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
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
