"""On-board processing: demosaicing, white balance, colour matrix, denoising, sharpening and tone curve.

Images are float32, shape (height, width, 3), red first. Light is linear and 1 is white until the tone curve.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from camerabias.datasets.io.jpeg import LUMA
from camerabias.datasets.simulator.cameras import Camera
from camerabias.datasets.simulator.sensor import BLACK_LEVEL, CHANNEL_RESPONSE, WHITE_LEVEL

Image = NDArray[np.float32]

_LUMA = np.array(LUMA, np.float32)
_EDGE_SIGMA = 0.05  # differences above this are edges to the denoiser
_DENOISE_DIAMETER = 5
_SHARPENING_SIGMA = 1.0

# Malvar, He and Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned color images", 2004,
# figure 2; eighths.
_GREEN_AT_OTHER = np.array(
    [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]], np.float32
)
_ALONG_ROW = np.array(
    [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]],
    np.float32,
)
_ACROSS = np.array(
    [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]],
    np.float32,
)


def demosaic(raw: NDArray[np.uint16], algorithm: str) -> Image:
    """Fill in the two colours that each pixel lacks.

    Args:
        raw: Raw values in the order of `sensor.mosaic`, shape (height, width).
        algorithm: `bilinear`, `edge_aware` (along the weaker gradient, as OpenCV does it) or `malvar`.

    Returns:
        The image; black level is 0 and white level 1.
    """
    if algorithm == "malvar":
        values = _malvar(raw.astype(np.float32))
    elif algorithm == "edge_aware":
        values = cv2.demosaicing(raw, cv2.COLOR_BayerRGGB2RGB_EA).astype(np.float32)
    else:
        values = cv2.demosaicing(raw, cv2.COLOR_BayerRGGB2RGB).astype(np.float32)
    return np.asarray((values - BLACK_LEVEL) / np.float32(WHITE_LEVEL - BLACK_LEVEL), np.float32)


def _malvar(raw: Image) -> Image:
    green, row, column, across = (
        cv2.filter2D(raw, -1, kernel / 8, borderType=cv2.BORDER_REFLECT_101)
        for kernel in (_GREEN_AT_OTHER, _ALONG_ROW, _ALONG_ROW.T, _ACROSS)
    )
    image = np.repeat(raw[:, :, None], 3, axis=2)
    red_site, green_beside_red = np.s_[0::2, 0::2], np.s_[0::2, 1::2]
    green_beside_blue, blue_site = np.s_[1::2, 0::2], np.s_[1::2, 1::2]
    for site in (red_site, blue_site):
        image[(*site, 1)] = green[site]
    image[(*red_site, 2)], image[(*blue_site, 0)] = across[red_site], across[blue_site]
    image[(*green_beside_red, 0)], image[(*green_beside_red, 2)] = (
        row[green_beside_red],
        column[green_beside_red],
    )
    image[(*green_beside_blue, 2)], image[(*green_beside_blue, 0)] = (
        row[green_beside_blue],
        column[green_beside_blue],
    )
    return image


def white_balance_gains(red: float, blue: float) -> NDArray[np.float32]:
    """Return the gains of red, green and blue that turn the sensor's grey into the camera's taste of grey.

    Args:
        red: Red over green of a grey in the finished photo.
        blue: Blue over green.

    Returns:
        Gains, shape (3,); a grey keeps its luma, so that white balance alone is a cue of colour, not of brightness.
    """
    taste = np.array([red, 1.0, blue], np.float32)
    return np.asarray(taste / (taste @ _LUMA) / CHANNEL_RESPONSE, np.float32)


def colour_matrix(saturation: float, hue_degrees: float) -> NDArray[np.float32]:
    """Return the matrix that scales colourfulness and turns hues, and keeps luma and greys.

    The chroma plane of YIQ is scaled and rotated.

    Args:
        saturation: 1 keeps the colours, 0 is grey.
        hue_degrees: Rotation, degrees.

    Returns:
        Matrix to multiply (red, green, blue) columns with, shape (3, 3); its rows sum to 1.
    """
    yiq = np.array([LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
    cosine, sine = saturation * np.cos(np.radians(hue_degrees)), saturation * np.sin(np.radians(hue_degrees))
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return np.asarray(np.linalg.inv(yiq) @ turn @ yiq, np.float32)


def denoise(image: Image, strength: float) -> Image:
    """Mix in a bilateral filter's result (Tomasi and Manduchi, 1998).

    Args:
        image: The image.
        strength: Weight of the filtered image, 0 to 1.

    Returns:
        The denoised image.
    """
    if strength <= 0:
        return image
    smooth = cv2.bilateralFilter(image, _DENOISE_DIAMETER, _EDGE_SIGMA, _DENOISE_DIAMETER / 2)
    return np.asarray(image + np.float32(strength) * (smooth - image), np.float32)


def sharpen(image: Image, amount: float) -> Image:
    """Apply an unsharp mask to the luma: each colour gains amount × (luma - blurred luma)."""
    luma = cv2.transform(image, _LUMA[None])  # unlike @, the same to the bit for any number of threads
    detail = luma - cv2.GaussianBlur(luma, (0, 0), _SHARPENING_SIGMA)
    return np.asarray(image + np.float32(amount) * detail[:, :, None], np.float32)


def tone_curve(image: Image, gamma: float, contrast: float) -> Image:
    """Turn linear light into pixel values.

    Args:
        image: Linear light; clipped to 0 to 1.
        gamma: The exponent is 1 / gamma.
        contrast: Weight of the S-curve 3x² - 2x³ over the straight line, 0 to 1.

    Returns:
        Values from 0 to 1.
    """
    encoded = np.clip(image, 0, 1) ** np.float32(1 / gamma)
    return np.asarray(encoded + np.float32(contrast) * (encoded**2 * (3 - 2 * encoded) - encoded), np.float32)


def develop(raw: NDArray[np.uint16], camera: Camera) -> NDArray[np.uint8]:
    """Turn a raw photo into pixels.

    Args:
        raw: Raw values, shape (height, width).
        camera: Its processing.

    Returns:
        The photo, uint8, shape (height, width, 3), red first.
    """
    gains = np.diag(white_balance_gains(camera.red_gain, camera.blue_gain))
    to_photo = colour_matrix(camera.saturation, camera.hue_degrees) @ gains
    image = np.asarray(cv2.transform(demosaic(raw, camera.demosaicing), to_photo), np.float32)
    image = sharpen(denoise(image, camera.denoising), camera.sharpening)
    return np.rint(255 * tone_curve(image, camera.gamma, camera.contrast)).astype(np.uint8)
