"""Light of one colour from everywhere, as MuJoCo's Filament renderer takes it.

Filament reads an environment's diffuse light from spherical harmonics where it has them; without, it asks the
cube four more times for every pixel. The renderer passes them on from Khronos texture files (KTX 1) alone, so
one is written, in memory. File layout: the Khronos KTX file format specification, version 1.
"""

import struct
from dataclasses import dataclass

import numpy as np
from mujoco import mjrf

from backends.mujoco.filament import Uploads
from backends.mujoco.options import DRAWING

_IDENTIFIER = b"\xabKTX 11\xbb\r\n\x1a\n"
_ENDIANNESS = 0x04030201
_GL_HALF_FLOAT, _GL_RGBA, _GL_RGBA16F = 0x140B, 0x1908, 0x881A
_HARMONICS = 9  # three bands


@dataclass(frozen=True)
class Ambient:
    """What shines from everywhere; ``light`` is in the scene, and ``cube`` must live as long as it."""

    light: mjrf.Light
    cube: mjrf.Texture


def make_ambient(context: mjrf.Context, tint: np.ndarray, uploads: Uploads) -> Ambient:
    """A light of the linear colour ``tint``, float[3] up to 1; its intensity says the rest."""
    cube = context.create_texture(
        mjrf.TextureConfig(
            width=1,
            height=1,
            format=mjrf.PixelFormat.PIXEL_FORMAT_KTX,
            color_space=mjrf.ColorSpace.COLORSPACE_LINEAR,
            sampler_type=mjrf.SamplerType.TEXTURE_CUBE,
        )
    )
    data = mjrf.TextureData()
    data.set_image(uniform_environment(tint))
    cube.upload(data)
    uploads.append(data)
    light = context.create_light(mjrf.LightParams(type=mjrf.LightType.LIGHT_IMAGE, texture=cube))
    return Ambient(light, cube)


def uniform_environment(color: np.ndarray) -> bytes:
    """A KTX file of a cube with one texel on each side, and the harmonics of its light.

    Args:
        color: linear radiance, float[3], the same in every direction. Only the first harmonic, the mean, is
            not zero; Filament's are scaled so that it is what a white diffuse surface gives back, less what
            it mirrors, for which ``DRAWING.ambient_diffuse`` stands.
    """
    diffuse = np.asarray(color) * DRAWING.ambient_diffuse
    harmonics = [*map(float, diffuse), *[0.0] * 3 * (_HARMONICS - 1)]
    pair = b"sh\0" + " ".join(f"{value:.9g}" for value in harmonics).encode() + b"\0"
    metadata = struct.pack("<I", len(pair)) + pair + bytes(-len(pair) % 4)
    texel = np.array([*color, 1.0], dtype="<f2").tobytes()
    header = struct.pack(
        "<13I",
        _ENDIANNESS,
        _GL_HALF_FLOAT,
        2,  # bytes of a channel
        _GL_RGBA,
        _GL_RGBA16F,
        _GL_RGBA,
        1,  # width
        1,  # height
        0,  # depth: flat
        0,  # array elements: none
        6,  # faces
        1,  # level of detail
        len(metadata),
    )
    return _IDENTIFIER + header + metadata + struct.pack("<I", len(texel)) + texel * 6
