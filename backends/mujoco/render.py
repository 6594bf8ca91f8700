"""Pictures of the world by MuJoCo's Filament renderer.

The drawn scene is built straight from ``core``'s meshes and materials; MuJoCo's model has nothing drawn
in it. Filament's own post-processing dithers with random numbers, so two pictures of one state would
differ. So it is not used: the renderer writes linear light in eight bits. Where that is too coarse, on dark
surfaces, it is drawn once more with every light eight times as bright, which gives them eleven bits; only the
rectangle around them is. The two are joined, averaged over the supersamples where there are any, and encoded
as sRGB by table. The same state gives the same bytes.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pinocchio
from mujoco import mjrf

import core.world.textures
from backends.mujoco.ambient import make_ambient
from backends.mujoco.casters import BEYOND, add_casters
from backends.mujoco.filament import (
    Part,
    Target,
    Uploads,
    give_back_memory,
    make_context,
    make_mesh,
    make_texture,
    set_picture,
)
from backends.mujoco.options import DRAWING
from core.backend import CameraImage
from core.world.bodies import Visual, static_bodies, stone_visual
from core.world.kinematics import panda_model
from core.world.meshes import Mesh
from core.world.robot import HAND_LINK
from core.world.robot_visuals import robot_visuals
from core.world.rotations import Pose, matrix_from_quaternion
from core.world.scene import CameraSpec, LightSpec, MaterialSpec, SceneSpec, TextureSpec
from core.world.state import SceneState
from core.world.textures import srgb_encode

_BRIGHTER = 8
_STEPS = 255 * _BRIGHTER  # linear light in [0, 1], in steps of the brighter picture
# Up to this linear value, out of 255, one step is more than 2.6 of 255 sRGB levels: drawn again, brighter.
_DARK = 12
# Times ``_DARK`` that a surface must give back of the light from everywhere alone not to be drawn again.
_SURELY_BRIGHT = 1.5
# Nothing that a camera sees lies in the shadows of these, nor of objects that are put away below the floor.
# Without them the shadow map is fitted to the stage: a sharper shadow for less time. The wall casts one when
# the sun is behind it.
_CASTS_NO_SHADOW = ("floor", "wall")
_PARKED = -1.0  # m, in W: what lies deeper is put away
_NOTHING = np.zeros(3, dtype=np.float32)
_REFLECTANCE = 0.08  # at normal incidence, of a dielectric of specular 1


class Pictures:
    """The drawn scene of one environment: a Filament context with one scene.

    Every frame is a function of a ``SceneState`` and the dressed ``SceneSpec`` alone. Belongs to the thread
    and the process that made it.
    """

    def __init__(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        """
        Raises:
            RenderError: if no graphics driver works.
        """
        self._context = make_context()
        self._uploads: Uploads = []
        self._scene = self._context.create_scene(mjrf.SceneParams())
        self._size, self._supersample = image_size, supersample
        self._large = (image_size[0] * supersample, image_size[1] * supersample)
        self._color = Target(self._context, self._large, mjrf.PixelFormat.PIXEL_FORMAT_RGB8)
        self._ids = Target(self._context, image_size, mjrf.PixelFormat.PIXEL_FORMAT_RGB8)
        self._depth = Target(self._context, image_size, mjrf.PixelFormat.PIXEL_FORMAT_R32F)
        self._meshes: dict[tuple[Any, ...], tuple[mjrf.Mesh, int, int]] = {}
        self._textures: dict[tuple[Any, ...], tuple[TextureSpec, mjrf.Texture]] = {}
        self._materials: dict[str, MaterialSpec] = {}
        self._dressed: dict[str, list[tuple[mjrf.Renderable, int]]] = {}
        self._statics = {body.name: self._add(body.visuals) for body in static_bodies(scene)}
        for body in static_bodies(scene):
            self.set_body_pose(body.name, body.X_WB)
        self._model = panda_model(scene.robot)
        self._data = self._model.createData()
        self._links = self._add_links()
        self._hand = self._model.getFrameId(HAND_LINK)
        self._stones = [self._add((stone_visual(scene, k),))[0] for k in range(len(scene.stones))]
        self._stone_meshes = [stone_visual(scene, k).mesh for k in range(len(scene.stones))]
        for stone in self._stones:
            self._scene.remove_renderable(stone)
        self._in_play: set[int] = set()
        self._lights: dict[str, tuple[LightSpec, mjrf.Light]] = {}
        self._ambient = np.zeros(3)
        self._bright: list[tuple[mjrf.Renderable, mjrf.Material, mjrf.Material]] | None = None
        self._environment = make_ambient(self._context, self._ambient, self._uploads)
        self._scene.add_light(self._environment.light)
        self.set_lights(scene.lights)
        self._cameras = {camera.name: camera for camera in scene.cameras}

    def draw(self, state: SceneState, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        """One view of ``state``; see ``core.backend.Backend.render``."""
        self._pose_bodies(state)
        spec = self._cameras[camera]
        rgb = depth = segmentation = None
        if "rgb" in modalities:
            rgb = self._draw_color(spec)
        if "depth" in modalities:
            depth = self._draw_depth(self._view(spec), spec.near, spec.far)
        if "segmentation" in modalities:
            segmentation = self._draw_ids(self._view(spec))
        for data in self._uploads:
            data.free()
        self._uploads.clear()
        return CameraImage(rgb=rgb, depth=depth, segmentation=segmentation)

    def dress(self, scene: SceneSpec) -> None:
        """Takes over every material, light, camera and static pose of ``scene``, from the next frame on."""
        for body in static_bodies(scene):
            self.set_body_pose(body.name, body.X_WB)
            for visual in body.visuals:
                self.set_material(visual.material_name, visual.material)
        for k, stone in enumerate(self._stones):
            visual = stone_visual(scene, k)
            self.set_material(visual.material_name, visual.material)
            if visual.mesh is not self._stone_meshes[k]:
                stone.set_mesh(*self._mesh(visual.mesh, visual.X_BV))
                self._stone_meshes[k] = visual.mesh
        self.set_lights(scene.lights)
        for camera in scene.cameras:
            self.set_camera(camera)

    def set_camera(self, camera: CameraSpec) -> None:
        """Replaces the camera of that name."""
        self._cameras[camera.name] = camera

    def set_material(self, name: str, material: MaterialSpec) -> None:
        """Changes every visual whose ``material_name`` is ``name``."""
        if self._materials.get(name) == material:
            return
        self._materials[name] = material
        self._bright = None
        for renderable, segmentation in self._dressed[name]:
            self._dress(renderable, segmentation, name)

    def set_body_pose(self, name: str, X_WB: Pose) -> None:
        """Moves a static body."""
        casts = name not in _CASTS_NO_SHADOW and X_WB.p[2] > _PARKED
        for renderable in self._statics[name]:
            renderable.set_cast_shadow(casts)
            _place(renderable, np.array(X_WB.p), matrix_from_quaternion(X_WB.q))

    def set_lights(self, lights: tuple[LightSpec, ...]) -> None:
        """Changes colour and place of the lights; those not seen before are added.

        Radiance from everywhere is the sum of all ambient lights.
        """
        ambient = [np.array(light.color) for light in lights if light.kind == "ambient"]
        color = np.sum([np.zeros(3), *ambient], axis=0)
        if (color != self._ambient).any():
            # A colour cannot be changed: another light takes its place.
            self._ambient, self._bright = color, None
            self._scene.remove_light(self._environment.light)
            self._environment = make_ambient(self._context, color / max(*color, 1e-9), self._uploads)
            self._scene.add_light(self._environment.light)
        for spec in lights:
            if spec.kind == "ambient" or (spec.name in self._lights and self._lights[spec.name][0] == spec):
                continue
            light = self._lights[spec.name][1] if spec.name in self._lights else self._add_light(spec)
            light.set_color(np.array(spec.color, dtype=np.float32) / np.float32(max(*spec.color, 1e-9)))
            light.set_cast_shadow(spec.cast_shadow)
            light.set_pose(np.array(spec.position, np.float32), np.array(spec.direction, np.float32))
            self._lights[spec.name] = (spec, light)
        from_behind = any(spec.direction[1] > 0 for spec in lights if spec.kind == "directional")
        for renderable in self._statics["wall"]:
            renderable.set_cast_shadow(from_behind)

    def close(self) -> None:
        """Frees the renderer: what refers to the context before the context."""
        self._lights.clear()
        self._bright = None
        self._dressed.clear()
        self._statics.clear()
        self._links.clear()
        self._stones.clear()
        for name in ("_color", "_ids", "_depth", "_scene", "_environment"):
            setattr(self, name, None)  # freed: nothing is called after this
        self._textures.clear()
        self._meshes.clear()
        self._context = None
        give_back_memory()

    def _add(self, visuals: tuple[Visual, ...]) -> list[mjrf.Renderable]:
        """Adds drawn meshes, placed in the frame of their body."""
        renderables = []
        for visual in visuals:
            renderable = self._context.create_renderable(mjrf.RenderableParams())
            renderable.set_mesh(*self._mesh(visual.mesh, visual.X_BV))
            self._dressed.setdefault(visual.material_name, []).append((renderable, int(visual.segmentation)))
            self.set_material(visual.material_name, visual.material)
            self._dress(renderable, int(visual.segmentation), visual.material_name)
            self._scene.add_renderable(renderable)
            renderables.append(renderable)
        return renderables

    def _add_links(self) -> dict[int, list[mjrf.Renderable]]:
        """Drawn links, and what casts their shadows, by pinocchio's frame."""
        links: dict[int, list[mjrf.Renderable]] = {}
        for link, visual in robot_visuals():
            for renderable in self._add((visual,)):
                renderable.set_cast_shadow(False)
                links.setdefault(self._model.getFrameId(link), []).append(renderable)
        for link, renderable in add_casters(self._context, self._scene, self._uploads):
            links[self._model.getFrameId(link)].append(renderable)
        return links

    def _dress(self, renderable: mjrf.Renderable, segmentation: int, name: str) -> None:
        material = self._materials[name]
        color = np.array(material.color)
        if material.metallic:
            shading = {"roughness": material.roughness, "metallic": material.metallic}
        else:
            # Filament's other shading model reads no textures but the colour's, of which this one has six.
            # Reflectance at normal incidence is free, and what is reflected there is taken from the colour.
            reflectance = _REFLECTANCE * material.specular
            color = color / (1 - reflectance)
            shading = {"specular": reflectance, "glossiness": 1 - material.roughness}
        surface = mjrf.Material(
            color=np.array([*_encoded(color), 1.0], np.float32), segmentation_id=segmentation, **shading
        )
        if material.texture is not None:
            surface.color_texture = self._texture(name, material.texture)
        renderable.set_material(surface)

    def _pose_bodies(self, state: SceneState) -> None:
        pinocchio.forwardKinematics(self._model, self._data, state.joint_positions.astype(np.float64))
        pinocchio.updateFramePlacements(self._model, self._data)
        for frame, renderables in self._links.items():
            X_WL = self._data.oMf[frame]
            for renderable in renderables:
                _place(renderable, X_WL.translation, X_WL.rotation)
        in_play = set(state.stone_ids.tolist())
        for k in self._in_play - in_play:
            self._scene.remove_renderable(self._stones[k])
        for k in in_play - self._in_play:
            self._scene.add_renderable(self._stones[k])
        self._in_play = in_play
        for k, X_WS in zip(state.stone_ids, state.stone_poses, strict=True):
            _place(self._stones[k], X_WS[:3], matrix_from_quaternion(X_WS[3:]))

    def _view(self, camera: CameraSpec, part: Part | None = None) -> mjrf.Camera:
        """The camera; with ``part``, what it sees in that rectangle of the picture alone."""
        eye, forward, up = (np.asarray(vector) for vector in (camera.eye, camera.forward, camera.up))
        if camera.parent == HAND_LINK:
            X_WH = self._data.oMf[self._hand]
            eye = X_WH.translation + X_WH.rotation @ eye
            forward, up = X_WH.rotation @ forward, X_WH.rotation @ up
        half_height = camera.near * np.tan(camera.fovy / 2)
        half_width = half_height * self._size[1] / self._size[0]
        top, bottom, left, right = part.borders(self._large) if part else (1.0, -1.0, -1.0, 1.0)
        return mjrf.Camera(
            pos=np.float32(eye),
            forward=np.float32(forward / np.linalg.norm(forward)),
            up=np.float32(up / np.linalg.norm(up)),
            frustum_bottom=half_height * bottom,
            frustum_top=half_height * top,
            frustum_center=half_width * (left + right) / 2,
            frustum_width=half_width * (right - left) / 2,
            frustum_near=camera.near,
            frustum_far=camera.far,
        )

    def _draw_color(self, camera: CameraSpec) -> np.ndarray:
        self._shine(1, DRAWING.shadow_map)
        plain = self._color.draw(self._scene, self._view(camera), mjrf.DrawMode.DRAW_MODE_DEFAULT)
        steps = plain.astype(np.uint16) * _BRIGHTER
        low = plain <= _DARK
        dark: np.ndarray = low[..., 0] | low[..., 1] | low[..., 2]  # eight times as fast as any()
        if dark.any():
            part = Part.around(dark)
            self._shine(_BRIGHTER, DRAWING.dark_shadow_map)
            surely_bright = self.surely_bright()
            for renderable, _, hidden in surely_bright:
                renderable.set_material(hidden)
            bright = self._color.draw(
                self._scene, self._view(camera, part), mjrf.DrawMode.DRAW_MODE_DEFAULT, part.rect(self._large)
            )
            for renderable, seen, _ in surely_bright:
                renderable.set_material(seen)
            inside = part.slices()
            # A channel that was cut off keeps its coarse value.
            use = dark[inside][..., None] & (bright[inside] < 255)
            np.copyto(steps[inside], bright[inside], where=use)
        s = self._supersample
        if s > 1:
            height, width = self._size
            steps = steps.reshape(height, s, width, s, 3).sum(axis=(1, 3), dtype=np.uint32)
        return _encoding(s * s).take(steps)

    def surely_bright(self) -> list[tuple[mjrf.Renderable, mjrf.Material, mjrf.Material]]:
        """What is not dark in any shadow: renderable, its material, and one that the camera does not see.

        It stays in the scene, so that shadows stay to the last bit.
        """
        if self._bright is None:
            self._bright = []
            for name, material in self._materials.items():
                least = 255 * np.array(material.color) * self._ambient
                if material.texture is None and not material.metallic and min(least) > _SURELY_BRIGHT * _DARK:
                    for renderable, _ in self._dressed[name]:
                        seen, hidden = renderable.get_material(), renderable.get_material()
                        hidden.scissor = BEYOND
                        self._bright.append((renderable, seen, hidden))
        return self._bright

    def draw_red(self, camera: str) -> npt.NDArray[np.float32]:
        """Red of the state that was drawn last, [height, width], linear and not rounded.

        The renderer has floating point for one channel only; the bytes of ``draw`` are measured by it.
        """
        target = Target(self._context, self._size, mjrf.PixelFormat.PIXEL_FORMAT_R32F)
        self._shine(1)
        view = self._view(self._cameras[camera])
        red: npt.NDArray[np.float32] = target.draw(self._scene, view, mjrf.DrawMode.DRAW_MODE_DEFAULT)
        return red

    def _draw_depth(self, view: mjrf.Camera, near: float, far: float) -> np.ndarray:
        self._context.set_clear_color(_NOTHING)
        # Filament stores reversed depth: 1 at the near plane, 0 at the far plane and where nothing is.
        stored = self._depth.draw(self._scene, view, mjrf.DrawMode.DRAW_MODE_DEPTH).astype(np.float64)
        return (near * far / (stored * (far - near) + near)).astype(np.float32)

    def _draw_ids(self, view: mjrf.Camera) -> np.ndarray:
        self._context.set_clear_color(_NOTHING)
        drawn = self._ids.draw(self._scene, view, mjrf.DrawMode.DRAW_MODE_SEGMENTATION_BY_ID)
        return drawn[..., 0].astype(np.int32)

    def _shine(self, factor: float, shadow_map: int = DRAWING.shadow_map) -> None:
        """Sets every light, and the background, to ``factor`` times its brightness; texels of shadow maps."""
        # Where nothing is, one sees the light from everywhere.
        self._context.set_clear_color(np.float32(np.minimum(self._ambient * factor, 1.0)))
        strength = DRAWING.intensity * factor
        self._environment.light.set_intensity(strength * max(self._ambient))
        for spec, light in self._lights.values():
            light.set_intensity(strength * max(spec.color))
            light.set_shadow_map_size(shadow_map)

    def _mesh(self, mesh: Mesh, X_BV: Pose) -> tuple[mjrf.Mesh, int, int]:
        """The uploaded mesh; equal ones are shared."""
        key = (mesh.vertices.tobytes(), mesh.faces.tobytes(), X_BV)
        if key not in self._meshes:
            self._meshes[key] = make_mesh(self._context, mesh, X_BV, self._uploads)
        return self._meshes[key]

    def _texture(self, name: str, spec: TextureSpec) -> mjrf.Texture:
        """A material's picture. One of the same size takes its place: edits need no memory."""
        key = (name, spec.size)
        if key not in self._textures:
            image = core.world.textures.make_texture(spec)
            self._textures[key] = (spec, make_texture(self._context, image, self._uploads))
        before, texture = self._textures[key]
        if before != spec:
            set_picture(texture, core.world.textures.make_texture(spec), self._uploads)
            self._textures[key] = (spec, texture)
        return texture

    def _add_light(self, spec: LightSpec) -> mjrf.Light:
        directional = spec.kind == "directional"
        light = self._context.create_light(
            mjrf.LightParams(
                type=mjrf.LightType.LIGHT_DIRECTIONAL if directional else mjrf.LightType.LIGHT_POINT,
                cast_shadow=spec.cast_shadow,
                range=DRAWING.light_range,
                shadow_map_size=DRAWING.shadow_map,
            )
        )
        self._scene.add_light(light)
        return light


def _place(renderable: mjrf.Renderable, position: np.ndarray, rotation: np.ndarray) -> None:
    renderable.set_pose(np.float32(position), np.float32(rotation).reshape(9))


@lru_cache
def _encoding(samples: int) -> np.ndarray:
    """uint8 sRGB of the sum of ``samples`` pixels in steps of linear light."""
    total = np.arange(_STEPS * samples + 1) / (_STEPS * samples)
    return (srgb_encode(total) * 255 + 0.5).astype(np.uint8)


def _encoded(color: np.ndarray) -> np.ndarray:
    """Linear light to sRGB, in which Filament's materials take their colour; beyond 1 the curve goes on."""
    return np.where(color <= 1, srgb_encode(color), 1.055 * color ** (1 / 2.4) - 0.055)
