"""Pictures with SAPIEN's renderer, in a scene of their own.

The drawn scene shares nothing with PhysX: every frame is a function of a ``SceneState`` and the dressed
``SceneSpec`` alone, so equal states give equal pictures whatever ran before. Lights and materials are in
the units of ``core.world.scene``, which are SAPIEN's own.
"""

import atexit
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pinocchio
import sapien
from PIL import Image
from sapien import render

from backends.robotwin import options
from backends.robotwin.reflectance import NAME, reflectance_texture
from backends.robotwin.shaders import SHADERS, color_shader
from core.backend import CameraImage
from core.errors import RenderError
from core.rendering.devices import quiet
from core.rendering.graphics import engine_took, selected_device
from core.world.bodies import StaticBody, Visual, parked_pose, static_bodies, stone_visual
from core.world.kinematics import panda_model
from core.world.meshes import stone_shape
from core.world.robot import HAND_LINK
from core.world.robot_visuals import robot_visuals
from core.world.rotations import Pose, quaternion_from_matrix
from core.world.scene import CameraSpec, Color, LightSpec, MaterialSpec, SceneSpec, TextureSpec
from core.world.state import SceneState
from core.world.temporary import TemporaryFolder
from core.world.textures import make_texture, srgb_decode, srgb_encode

# Linear light in 65536 steps to sRGB bytes: exact rounding but for the darkest two or three values.
_ENCODE = (srgb_encode(np.arange(65536) / 65535) * 255 + 0.5).astype(np.uint8)
_DECODE = srgb_decode(np.arange(256) / 255)

# Cosine between the normal of the wall and the way to a sun from which on its underside alone casts a shadow.
# From the front that is all that can be seen of it, on a line of floor along the wall; the rest would cover a
# third of the shadow map, for a tenth of a frame's time.
_IN_FRONT = 0.05

# SAPIEN compiles its shaders anew whenever no renderer is alive: this one stays.
_engine: render.RenderSystem | None = None


def start_engine() -> None:
    """Starts the renderer for the life of the process.

    Raises:
        RenderError: if no Vulkan driver works.
    """
    global _engine
    if _engine is not None:
        return
    try:
        with selected_device() as device, quiet():
            engine = render.RenderSystem()
    except RuntimeError as error:
        raise RenderError(f"SAPIEN's renderer did not start: {error}; cameras=() works without") from error
    # SAPIEN has an address for devices that are on no bus, too.
    engine_took("robotwin", engine.device.name, engine.device.pci_string if device.pci else None)
    _engine = engine


class Pictures:
    """The drawn scene of one environment.

    Attributes:
        materials: by ``material_name``; shared by all visuals of that name.
    """

    def __init__(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        start_engine()
        self._size, self._supersample = image_size, supersample
        self._steps = np.empty((*image_size, 3), dtype=np.intp)  # of light, as the table is indexed
        self._system = render.RenderSystem()
        self._scene = sapien.Scene([sapien.physx.PhysxCpuSystem(), self._system])
        self.materials: dict[str, render.RenderMaterial] = {}
        self._segmentation = {0: 0}  # of every drawn shape
        self._statics = {body.name: self._add_static(body) for body in static_bodies(scene)}
        self._add_underside(scene)
        self._model = panda_model(scene.robot)
        self._data = self._model.createData()
        self._links = self._add_links()
        self._pools: dict[tuple[Any, ...], list[tuple[sapien.Entity, render.RenderBodyComponent]]] = {}
        self._stones: list[tuple[sapien.Entity, render.RenderBodyComponent]] = []
        self.take_stones(scene)
        self._lights: dict[tuple[str, bool], render.RenderLightComponent] = {}
        self._suns: dict[str, LightSpec] = {}
        for light in scene.lights:
            if light.kind != "ambient":
                self.set_light(light)
        self.set_ambient(scene.lights)
        self._cameras = {camera.name: camera for camera in scene.cameras}
        self._mounts: dict[tuple[str, bool], tuple[sapien.Entity, render.RenderCameraComponent]] = {}

    def draw(self, state: SceneState, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        """One view of ``state``; see ``core.backend.Backend.render``."""
        self._pose_bodies(state)
        spec = self._cameras[camera]
        rgb = depth = segmentation = None
        if "rgb" in modalities:
            rgb = self._encode(self._take(spec, True).get_picture("Lighting"))
        if "depth" in modalities or "segmentation" in modalities:
            view = self._take(spec, False)
            if "segmentation" in modalities:
                segmentation = self._table[view.get_picture("Segmentation")[..., 0]]
            if "depth" in modalities:
                z = view.get_picture("Position")[..., 2]  # camera frame, looking along -z; 0 where nothing is
                depth = np.where(z < 0, -z, np.float32(spec.far))
        return CameraImage(rgb=rgb, depth=depth, segmentation=segmentation)

    def set_camera(self, camera: CameraSpec) -> None:
        """Replaces the camera of that name."""
        self._cameras[camera.name] = camera

    def set_material(self, name: str, material: MaterialSpec) -> None:
        """Changes every visual whose ``material_name`` is ``name``."""
        _dress(self.materials[name], material)

    def set_body_pose(self, name: str, X_WB: Pose) -> None:
        """Moves a static body."""
        self._statics[name].set_pose(_pose(X_WB))

    def set_light(self, light: LightSpec) -> None:
        """Changes colour and place of a directional or point light, and whether it casts shadows.

        SAPIEN's lights cannot begin or cease to cast shadows: one of each kind takes turns.
        """
        key = (light.name, light.cast_shadow)
        if key not in self._lights:
            self._lights[key] = self._add_light(light)
        if (light.name, not light.cast_shadow) in self._lights:
            self._lights[light.name, not light.cast_shadow].color = (0.0, 0.0, 0.0)
        component = self._lights[key]
        component.color = light.color
        component.entity.set_pose(_light_pose(light))
        if light.kind == "directional":
            self._suns[light.name] = light
            self._let_wall_cast(any(_cosine_on_wall(sun) < _IN_FRONT for sun in self._suns.values()))

    def take_stones(self, scene: SceneSpec) -> None:
        """Draws the stones in the shapes of ``scene``; those of each kind are made once."""
        shapes = tuple(stone_shape(stone) for stone in scene.stones)
        if shapes not in self._pools:
            self._pools[shapes] = self._add_stones(scene)
            highest = max(self._segmentation)
            self._table = np.array([self._segmentation.get(k, 0) for k in range(highest + 1)], dtype=np.int32)
        if self._stones is not self._pools[shapes]:
            for pool in (self._stones, self._pools[shapes]):
                for k, (entity, body) in enumerate(pool):
                    body.visibility = 0.0
                    entity.set_pose(_pose(parked_pose(k)))
            self._stones = self._pools[shapes]
            self._in_play = np.zeros(len(self._stones), dtype=bool)

    def set_ambient(self, lights: tuple[LightSpec, ...]) -> None:
        """Radiance from everywhere: the sum of all ambient lights.

        A uniform environment lights glossy surfaces too, which SAPIEN's own ambient light does not. Its
        pictures have eight bits, so what they lose by rounding down is given as ambient light.
        """
        ambient = [np.array(light.color) for light in lights if light.kind == "ambient"]
        color = np.sum([np.zeros(3), *ambient], axis=0)
        encoded = np.floor(srgb_encode(color) * 255 + 1e-9).astype(np.uint8)
        self._system.cubemap = _uniform_cubemap(tuple(int(value) for value in encoded))
        self._system.ambient_light = color - srgb_decode(encoded / 255)

    def close(self) -> None:
        """Frees the drawn scene."""
        self._mounts.clear()
        self._scene.clear()

    def _add_body(self, name: str, X_WB: Pose, visuals: list[Visual]) -> tuple[sapien.Entity, ...]:
        body = render.RenderBodyComponent()
        shapes = []
        for visual in visuals:
            if visual.material_name not in self.materials:
                self.materials[visual.material_name] = render.RenderMaterial()
                _dress(self.materials[visual.material_name], visual.material)
            mesh = visual.mesh
            shape = render.RenderShapeTriangleMesh(
                mesh.vertices, mesh.faces, mesh.normals, mesh.uvs, self.materials[visual.material_name]
            )
            shape.local_pose = _pose(visual.X_BV)
            body.attach(shape)
            shapes.append(shape)
        entity = sapien.Entity()
        entity.name = name
        entity.add_component(body)
        entity.set_pose(_pose(X_WB))
        self._scene.add_entity(entity)
        for shape, visual in zip(shapes, visuals, strict=True):
            self._segmentation[shape.per_scene_id] = int(visual.segmentation)
        return entity, body

    def _add_static(self, body: StaticBody) -> sapien.Entity:
        return self._add_body(body.name, body.X_WB, list(body.visuals))[0]

    def _add_underside(self, scene: SceneSpec) -> None:
        """What casts the wall's shadow when the sun is in front of it. Floor and wall hide it."""
        (wall,) = (body for body in static_bodies(scene) if body.name == "wall")
        (visual,) = wall.visuals
        down = visual.mesh.normals[visual.mesh.faces][..., 2].max(axis=1) < -0.5
        mesh = replace(visual.mesh, faces=visual.mesh.faces[down])
        self._add_body("underside", wall.X_WB, [replace(visual, mesh=mesh)])

    def _let_wall_cast(self, casts: bool) -> None:
        (body,) = self._statics["wall"].components
        for drawn in body._internal_node.children:
            if drawn.cast_shadow != casts:
                drawn.cast_shadow = casts

    def _add_links(self) -> dict[str, tuple[sapien.Entity, int]]:
        """Drawn links: entity, and pinocchio's frame."""
        by_link: dict[str, list[Visual]] = {}
        for link, visual in robot_visuals():
            by_link.setdefault(link, []).append(visual)
        return {
            link: (self._add_body(link, Pose(), visuals)[0], self._model.getFrameId(link))
            for link, visuals in by_link.items()
        }

    def _add_stones(self, scene: SceneSpec) -> list[tuple[sapien.Entity, render.RenderBodyComponent]]:
        visuals = (stone_visual(scene, k) for k in range(len(scene.stones)))
        return [self._add_body(visual.name, parked_pose(k), [visual]) for k, visual in enumerate(visuals)]

    def _add_light(self, light: LightSpec) -> render.RenderLightComponent:
        directional = light.kind == "directional"
        kind = render.RenderDirectionalLightComponent if directional else render.RenderPointLightComponent
        component = kind()
        component.color, component.shadow = light.color, light.cast_shadow
        component.shadow_map_size = options.SHADOW_MAP_SIZE
        if directional:
            component.shadow_near, component.shadow_far = options.SHADOW_RANGE
            component.shadow_half_size = options.SHADOW_HALF_SIZE
        entity = sapien.Entity()
        entity.name = light.name
        entity.add_component(component)
        entity.set_pose(_light_pose(light))
        self._scene.add_entity(entity)
        return component

    def _pose_bodies(self, state: SceneState) -> None:
        pinocchio.forwardKinematics(self._model, self._data, state.joint_positions.astype(np.float64))
        pinocchio.updateFramePlacements(self._model, self._data)
        for entity, frame in self._links.values():
            entity.set_pose(sapien.Pose(self._data.oMf[frame].homogeneous))
        in_play = np.zeros(len(self._stones), dtype=bool)
        in_play[state.stone_ids] = True
        for k in np.flatnonzero(in_play != self._in_play):
            entity, body = self._stones[k]
            body.visibility = float(in_play[k])
            if not in_play[k]:
                entity.set_pose(_pose(parked_pose(int(k))))
        self._in_play = in_play
        for k, X_WS in zip(state.stone_ids, state.stone_poses, strict=True):
            self._stones[k][0].set_pose(sapien.Pose(p=X_WS[:3], q=X_WS[3:]))

    def _take(self, camera: CameraSpec, color: bool) -> render.RenderCameraComponent:
        """Draws with the colour or the geometry shader, and returns where the pictures are."""
        if (camera.name, color) not in self._mounts:
            height, width = (side * (self._supersample if color else 1) for side in self._size)
            folder = color_shader() if color else SHADERS / options.GEOMETRY_SHADER
            component, entity = render.RenderCameraComponent(width, height, str(folder)), sapien.Entity()
            entity.name = camera.name
            entity.add_component(component)
            self._scene.add_entity(entity)
            self._mounts[camera.name, color] = (entity, component)
            table = reflectance_texture() if color else None
            if table is not None:
                component.set_texture(NAME, table)
        entity, component = self._mounts[camera.name, color]
        component.near, component.far = camera.near, camera.far
        component.set_fovy(camera.fovy, compute_x=True)
        X_PC = _camera_matrix(camera)
        if camera.parent == HAND_LINK:
            X_PC = self._data.oMf[self._links[HAND_LINK][1]].homogeneous @ X_PC
        entity.set_pose(sapien.Pose(X_PC))
        try:
            self._system.step()
            component.take_picture()
        except RuntimeError as error:
            raise RenderError(f"the Vulkan driver failed while drawing {camera.name!r}: {error}") from error
        return component

    def _encode(self, radiance: np.ndarray) -> npt.NDArray[np.uint8]:
        """uint8[H, W, 3] sRGB of float32[sH, sW, 4] linear light, averaged over s x s boxes.

        Overwrites ``radiance``.
        """
        light = np.clip(radiance, 0.0, 1.0, out=radiance)
        if (s := self._supersample) > 1:
            # Rows first, then columns: whole slices are several times faster than a mean over two axes.
            light = sum((light[k::s] for k in range(1, s)), start=light[::s])
            light = sum((light[:, k::s] for k in range(1, s)), start=light[:, ::s]) / np.float32(s * s)
        light *= np.float32(65535)
        light += np.float32(0.5)
        np.copyto(self._steps, light[..., :3], casting="unsafe")
        encoded: np.ndarray = _ENCODE.take(self._steps)
        return encoded


def _pose(pose: Pose) -> sapien.Pose:
    return sapien.Pose(p=pose.p, q=pose.q)


def _camera_matrix(camera: CameraSpec) -> np.ndarray:
    """X_PC, 4x4: SAPIEN's cameras look along +x with y to the left and z up."""
    forward = np.asarray(camera.forward) / np.linalg.norm(camera.forward)
    right = np.cross(forward, camera.up)
    right /= np.linalg.norm(right)
    X = np.eye(4)
    X[:3] = np.column_stack([forward, -right, np.cross(right, forward), camera.eye])
    return X


def _light_pose(light: LightSpec) -> sapien.Pose:
    """Directional lights shine along +x, from the middle of their shadow's box."""
    if light.kind == "point":
        return sapien.Pose(p=light.position)
    x = np.asarray(light.direction) / np.linalg.norm(light.direction)
    y = np.cross((0.0, 0.0, 1.0) if abs(x[2]) < 0.9 else (1.0, 0.0, 0.0), x)
    y /= np.linalg.norm(y)
    q = quaternion_from_matrix(np.column_stack([x, y, np.cross(x, y)]))
    return sapien.Pose(p=options.SHADOW_CENTER, q=q)


def _cosine_on_wall(light: LightSpec) -> float:
    """Between the way to a directional light and y, which the wall behind the robot faces."""
    return float(-light.direction[1] / np.linalg.norm(light.direction))


def _dress(target: render.RenderMaterial, material: MaterialSpec) -> None:
    if material.texture is not None:
        target.base_color_texture = _texture(material.texture, material.color)
    elif target.base_color_texture is not None:
        # SAPIEN keeps drawing a texture that is taken away; one texel of the colour stands in for none.
        texel = np.array([[[*material.color, 1.0]]], dtype=np.float32)
        target.base_color_texture = render.RenderTexture2D(texel, "R32G32B32A32Sfloat")
    # After the texture: that a material has one now is noticed only when one of these is set.
    target.base_color = [*material.color, 1.0]
    target.roughness, target.metallic = material.roughness, material.metallic
    target.specular = material.specular


@lru_cache(maxsize=4)  # 11 MB each; those in use live on without it
def _texture(spec: TextureSpec, color: Color) -> render.RenderTexture2D:
    """The texture times ``color``: the shader takes either the one or the other.

    In linear light, because SAPIEN shrinks a picture as its numbers are: averages of sRGB bytes are too dark,
    and the board's thin lines stood out more than they do from closer by.
    """
    encoded = make_texture(spec)
    image = np.ones((*encoded.shape[:2], 4), dtype=np.float16)
    for channel in range(3):
        image[..., channel] = (_DECODE * color[channel]).astype(np.float16)[encoded[..., channel]]
    levels = int(np.log2(max(image.shape[:2]))) + 1
    # SAPIEN's v = 0 is the first row, ours the last.
    return render.RenderTexture2D(image[::-1].copy(), "R16G16B16A16Sfloat", mipmap_levels=levels)


@lru_cache(maxsize=1)
def _cubemap_folder() -> TemporaryFolder:
    """Lives as long as the process: SAPIEN reads a cubemap's files when it is first drawn."""
    folder = TemporaryFolder("cubemaps")
    atexit.register(folder.close)
    return folder


@lru_cache(maxsize=64)
def _uniform_cubemap(color: tuple[int, int, int]) -> render.RenderCubemap:
    """An environment of one sRGB colour; SAPIEN takes it from files only."""
    file = _cubemap_folder().path / "{:02x}{:02x}{:02x}.png".format(*color)
    Image.new("RGB", (32, 32), color).save(file)
    return render.RenderCubemap(*[str(file)] * 6)
