"""SAPIEN's table of reflectance, kept between processes.

How much of the light from everywhere a rough surface reflects is looked up by angle and roughness (Karis,
"Real Shading in Unreal Engine 4", 2013). SAPIEN integrates this table of 512 x 512 entries anew in every
process. A GPU does it in no time; in software it takes nine seconds, six times all else that a process does
before its first picture. So it is read out once, to the last bit, and given to SAPIEN from then on.
"""

import hashlib
import os
import shutil
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sapien
from sapien import physx, render

from backends.robotwin import options
from backends.robotwin.shaders import SHADERS
from core.rendering.devices import DeviceType, quiet
from core.rendering.graphics import select_device
from core.world.cache import cache_folder
from core.world.temporary import TemporaryFolder

NAME = "BRDFLUT"  # as SAPIEN's shaders call it
SIZE = 512

# Put at the end of the shader that lights a picture: entries instead of light, and how many there are.
_READ_OUT = """
  ivec2 entry = ivec2(gl_FragCoord.xy);
  outLighting = vec4(texelFetch(sampler{name}, entry, 0).xy, vec2(textureSize(sampler{name}, 0)));
}}
"""


@lru_cache(maxsize=1)
def reflectance_texture() -> render.RenderTexture | None:
    """The table, to be a camera's texture ``NAME``; None where SAPIEN makes it quickly, or in another way."""
    device = select_device()
    if device.kind is not DeviceType.CPU:
        return None
    key = hashlib.sha256(f"{sapien.__version__} {device.name}".encode()).hexdigest()[:16]
    table = table_in(cache_folder() / f"reflectance_{key}.npy")
    if table is None:
        return None
    return render.RenderTexture(table, 2, "R16G16Sfloat", filter_mode="linear", address_mode="edge")


def table_in(file: Path) -> npt.NDArray[np.float16] | None:
    """The table, float16[SIZE, SIZE, 2], from its file, which is made where it is not there or damaged.

    Returns:
        None if SAPIEN makes another table than is expected; then there is no file.
    """
    table = _kept(file)
    if table is None:
        table = _read_out()
        if table is not None:
            # Written beside and moved into place: several processes may get here at once.
            fresh = file.with_name(f"{file.stem}.{os.getpid()}.npy")
            np.save(fresh, table)
            fresh.replace(file)
    return table


def _kept(file: Path) -> npt.NDArray[np.float16] | None:
    try:
        table: npt.NDArray[np.float16] = np.load(file)
    except (OSError, ValueError, EOFError):  # not there, or damaged: it is made anew
        return None
    return table if table.shape == (SIZE, SIZE, 2) and table.dtype == np.float16 else None


def _read_out() -> npt.NDArray[np.float16] | None:
    """float16[SIZE, SIZE, 2]: what SAPIEN has made for itself; None if it is not what is expected."""
    folder = TemporaryFolder("shaders")
    try:
        shaders = folder.path / SHADERS.name
        shutil.copytree(SHADERS, shaders)
        lighting = shaders / options.COLOR_SHADER / "deferred.frag"
        lighting.write_text(lighting.read_text().rstrip().removesuffix("}") + _READ_OUT.format(name=NAME))
        system = render.RenderSystem()
        scene = sapien.Scene([physx.PhysxCpuSystem(), system])
        camera, entity = render.RenderCameraComponent(SIZE, SIZE, str(lighting.parent)), sapien.Entity()
        entity.add_component(camera)
        scene.add_entity(entity)
        with quiet():
            system.step()
            camera.take_picture()
        drawn = camera.get_picture("Lighting")
        scene.clear()
    except RuntimeError:
        return None
    finally:
        folder.close()
    table: npt.NDArray[np.float16] = drawn[..., :2].astype(np.float16)
    exact = (table == drawn[..., :2]).all() and (drawn[..., 2:] == SIZE).all()
    return table if exact else None
