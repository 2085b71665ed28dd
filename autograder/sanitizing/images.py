"""Tells images from what only claims to be one: a student's picture has to be decoded before it is shown."""

import base64
import binascii
import io
import re
import warnings

from PIL import Image

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}
# Bytes of one image; a plot of a notebook has about 20,000.
IMAGE_BYTES = 100_000
# Decoded, an image of a few bytes may fill the memory of who opens it.
IMAGE_PIXELS = 16_000_000
DATA = re.compile(r"data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/]*={0,2})")


def verified(kind: str, encoded: object) -> str | None:
    """An image in base64 as it may stand in a page; None if it is too large, or no image of that kind."""
    if kind not in FORMATS or not isinstance(encoded, str) or len(encoded) > 2 * IMAGE_BYTES:
        return None
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) > IMAGE_BYTES or not _is_image(raw, FORMATS[kind]):
        return None
    return base64.b64encode(raw).decode()


def is_data_image(address: str) -> bool:
    """Whether an address holds a verified image itself, so that nothing is fetched."""
    data = DATA.fullmatch(address)
    return data is not None and verified(data[1], data[2]) is not None


def _is_image(raw: bytes, form: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(raw), formats=[form]) as image:
                if image.width * image.height > IMAGE_PIXELS:
                    return False
                image.load()
    except Exception:  # one of many kinds, by what is broken in it
        return False
    return True
