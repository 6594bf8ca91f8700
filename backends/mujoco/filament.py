"""Small pieces of MuJoCo's Filament renderer: context, meshes, textures and render targets."""

import ctypes
import re
from contextlib import suppress
from dataclasses import dataclass

import numpy.typing as npt

# The renderer's assets are found only once this has been imported.
import mujoco.studio  # noqa: F401  # isort: skip
import numpy as np
from mujoco import mjrf

from core.rendering.devices import DeviceType, quiet
from core.rendering.graphics import engine_took, selected_device
from core.world.meshes import Mesh
from core.world.rotations import Pose, matrix_from_quaternion

# What was uploaded and has to be freed by hand once a frame has been drawn since: the bindings keep
# their copy of it for ever.
Uploads = list[mjrf.TextureData | mjrf.MeshData]

_BOUND = 1e-4  # m by which a mesh's bounding box is larger than the mesh: a flat one must not be empty


def give_back_memory() -> None:
    """Returns to the system what closed renderers freed.

    Filament and the driver allocate in threads of their own, whose heaps glibc keeps when they have ended:
    7 MB for every renderer that was opened and closed. Does nothing where the C library is another one.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def make_context() -> mjrf.Context:
    """Starts a renderer; it belongs to the calling thread and process.

    Raises:
        RenderError: if no graphics driver works.
    """
    config = mjrf.ContextConfig()
    config.graphics_api = mjrf.GraphicsApi.GRAPHICS_API_VULKAN
    with selected_device() as device, quiet() as said:  # Filament announces itself in seven lines
        config.software_rendering = device.kind is DeviceType.CPU
        context = mjrf.Context(config)
        told = re.search(r"Selected physical device '(.*)' from", said())
    if told:
        engine_took("mujoco", told[1])
    return context


def make_mesh(context: mjrf.Context, mesh: Mesh, X_BV: Pose, uploads: Uploads) -> tuple[mjrf.Mesh, int, int]:
    """Uploads a mesh, placed in its body's frame.

    Returns:
        The mesh, its first index and the number of its indices, as ``Renderable.set_mesh`` takes them.
    """
    rotation = matrix_from_quaternion(X_BV.q)
    vertices = (mesh.vertices @ rotation.T + np.array(X_BV.p)).astype(np.float32)
    normals = mesh.normals @ rotation.T
    usage, kind = mjrf.VertexAttributeUsage, mjrf.VertexAttributeType
    config = mjrf.MeshConfig(
        max_vertices=len(vertices),
        max_indices=mesh.faces.size,
        attributes=[
            mjrf.VertexAttribute(usage.VERTEX_ATTRIBUTE_USAGE_POSITION, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT3),
            mjrf.VertexAttribute(usage.VERTEX_ATTRIBUTE_USAGE_TANGENTS, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT4),
            mjrf.VertexAttribute(usage.VERTEX_ATTRIBUTE_USAGE_UV, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT2),
        ],
        interleaved=True,
        index_type=mjrf.IndexType.INDEX_TYPE_U32,
        primitive_type=mjrf.MeshPrimitiveType.MESH_PRIMITIVE_TYPE_TRIANGLES,
    )
    data = mjrf.MeshData(bounds_min=vertices.min(axis=0) - _BOUND, bounds_max=vertices.max(axis=0) + _BOUND)
    packed = np.concatenate([vertices, _vertex_frames(normals), mesh.uvs], axis=1)
    data.set_vertices(config, np.ascontiguousarray(packed, dtype=np.float32).tobytes())
    data.set_indices(config, mesh.faces.astype(np.uint32).tobytes())
    handle = context.create_mesh(config)
    handle.upload(data)
    uploads.append(data)
    return handle, 0, mesh.faces.size


def _vertex_frames(normals: np.ndarray) -> npt.NDArray[np.floating]:
    """Quaternions (xyzw) float[V, 4] that turn z into the unit normals float[V, 3].

    Textures carry colour alone, so which way a tangent points does not matter.
    """
    x, y, z = normals.T
    q = np.stack([-y, x, np.zeros_like(x), 1 + z], axis=1)
    q[z < -0.999999] = (1.0, 0.0, 0.0, 0.0)  # half a turn about any horizontal axis
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    # Filament reads the sign of w as the handedness of the frame: it must be positive, not zero.
    q[:, 3] = np.maximum(q[:, 3], 1e-7)
    return q


def make_texture(context: mjrf.Context, image: np.ndarray, uploads: Uploads) -> mjrf.Texture:
    """A picture, uint8[H, W, 3] sRGB-encoded, as a surface's colour; see ``set_picture``."""
    config = mjrf.TextureConfig(
        width=image.shape[1],
        height=image.shape[0],
        format=mjrf.PixelFormat.PIXEL_FORMAT_RGB8,
        color_space=mjrf.ColorSpace.COLORSPACE_SRGB,
        sampler_type=mjrf.SamplerType.TEXTURE_2D,
    )
    texture = context.create_texture(config)
    set_picture(texture, image, uploads)
    return texture


def set_picture(texture: mjrf.Texture, image: np.ndarray, uploads: Uploads) -> None:
    """Puts another picture of the same size into a texture.

    ``core``'s pictures begin with the top row and v = 0 is at the bottom; Filament's begin at v = 0.
    """
    upload(texture, image[::-1], uploads)


def upload(texture: mjrf.Texture, image: np.ndarray, uploads: Uploads) -> None:
    """Puts texels, uint8[H, W, 3], into a texture of their size."""
    data = mjrf.TextureData()
    data.set_image(np.ascontiguousarray(image).tobytes())
    texture.upload(data)
    uploads.append(data)


@dataclass(frozen=True)
class Part:
    """A rectangle of a picture, in pixels; rows count from the top, ends are not included."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, pixels: np.ndarray) -> "Part":
        """The smallest one that holds every true pixel of bool[H, W]; there must be one."""
        rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
        return cls(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)

    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def borders(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """Top, bottom, left and right in a picture of (height, width) that reaches from -1 to 1."""
        height, width = size
        rows = (1 - 2 * self.top / height, 1 - 2 * self.bottom / height)
        return (*rows, 2 * self.left / width - 1, 2 * self.right / width - 1)

    def rect(self, size: tuple[int, int]) -> mjrf.Rect:
        """As the renderer takes it: from the lower left corner of a picture of (height, width)."""
        rect = mjrf.Rect()
        rect.left, rect.bottom = self.left, size[0] - self.bottom
        rect.width, rect.height = self.right - self.left, self.bottom - self.top
        return rect


class Target:
    """Where pictures of one size and format are drawn and read back."""

    def __init__(self, context: mjrf.Context, size: tuple[int, int], pixels: mjrf.PixelFormat) -> None:
        """
        Args:
            size: (height, width) in pixels.
            pixels: RGB8 for uint8[H, W, 3], or R32F for float32[H, W].
        """
        height, width = size
        self._context = context
        self._target = context.create_render_target(
            mjrf.RenderTargetConfig(
                width=width,
                height=height,
                color_format=pixels,
                depth_format=mjrf.PixelFormat.PIXEL_FORMAT_DEPTH32F,
            )
        )
        self._viewport = mjrf.Rect()
        self._viewport.width, self._viewport.height = width, height
        if pixels == mjrf.PixelFormat.PIXEL_FORMAT_R32F:
            self._pixels = np.zeros((height, width), dtype=np.float32)
        else:
            self._pixels = np.zeros((height, width, 3), dtype=np.uint8)

    def draw(
        self, scene: mjrf.Scene, view: mjrf.Camera, mode: mjrf.DrawMode, part: mjrf.Rect | None = None
    ) -> np.ndarray:
        """The picture, in a buffer that the next one overwrites.

        Args:
            part: the pixels that ``view`` fills, from the lower left corner; None is the whole target. What
                lies outside is undefined.
        """
        request = mjrf.RenderRequest(
            scene=scene,
            camera=view,
            viewport=part or self._viewport,
            target=self._target,
            draw_mode=mode,
            post_processing=False,
            reflections=False,
            shadows=mode == mjrf.DrawMode.DRAW_MODE_DEFAULT,
            skybox=False,
            haze=False,
            headlight=False,
        )
        read = mjrf.ReadRequest(target=self._target)
        read.set_buffer(self._pixels)
        self._context.wait_for_frame(self._context.render([request], [read]))
        return self._pixels
