"""SAPIEN's own shaders without what no picture of ours needs: the same colours in less time.

The stock folder draws overlays of points and lines, transparent things and pictures for a viewer, and its
first pass writes seven pictures, of which the light needs three. In software each of them costs. Its soft
shadows ask for most texels four times. So pictures are drawn with an edited copy of the installed folder.
Their bytes are the same, which tests compare; where the installed shaders are not those that the edits know,
the stock folder is used as it is.
"""

import atexit
import re
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import sapien

from backends.robotwin import options
from core.world.temporary import TemporaryFolder

SHADERS = Path(sapien.__file__).parent / "vulkan_shader"

# Passes whose pictures nobody reads: transparent things, points, lines, and what a viewer shows.
_UNREAD_PASSES = ("gbuffer1.*", "point.*", "line.*", "composite*")
# Pictures of the first pass that light does not depend on. No material of ours shines by itself.
_UNREAD_PICTURES = ("PositionRaw", "Segmentation", "Custom", "Emission")
_EMISSION = "texture(samplerEmission, inUV)"
# Light from everywhere is the same in every direction, however blurred: one read of it does for all.
_ENVIRONMENT = r"textureLod\(samplerEnvironment, (?:N|R|texcoord), [^)]*\)"
_UNIFORM = "textureLod(samplerEnvironment, vec3(0.0f, 0.0f, 1.0f), 0.0f)"

# The mean of 5 x 5 comparisons, each between four texels, as in the stock shader; 9 reads see all 6 x 6.
# Away from the edge of a shadow, all are lit or none is.
_SHADOW = """float ShadowMapPCF(
    sampler2D depths, vec3 point, float resolution, float texel, float spread)
{
  vec4 behind[9];
  vec4 sums = vec4(0.0f);
  for (int k = 0; k < 9; k++) {
    vec2 place = point.xy + spread * vec2(2 * (k % 3) - 2, 2 * (k / 3) - 2) * texel;
    behind[k] = vec4(lessThan(textureGather(depths, place), vec4(point.z)));
    sums += behind[k];
  }
  float sum = sums.x + sums.y + sums.z + sums.w;
  if (sum == 0.0f || sum == 36.0f) {
    return 1.0f - sum / 36.0f;
  }
  float lit[6][6];
  for (int k = 0; k < 9; k++) {
    int row = 2 * (k / 3), column = 2 * (k % 3);
    lit[row + 1][column] = 1.0f - behind[k].x;
    lit[row + 1][column + 1] = 1.0f - behind[k].y;
    lit[row][column + 1] = 1.0f - behind[k].z;
    lit[row][column] = 1.0f - behind[k].w;
  }
  vec2 part = fract(point.xy * resolution + 0.5f);
  sum = 0.0f;
  for (int row = 0; row < 5; row++) {
    for (int column = 0; column < 5; column++) {
      sum += mix(mix(lit[row][column], lit[row][column + 1], part.x),
                 mix(lit[row + 1][column], lit[row + 1][column + 1], part.x), part.y);
    }
  }
  return sum / 25.0f;
}
"""


class UnknownShadersError(Exception):
    """The installed shaders are not those that the edits were written for."""


@lru_cache(maxsize=1)
def color_shader() -> Path:
    """The folder that pictures are drawn with: the edited one, or SAPIEN's where that cannot be made."""
    folder = TemporaryFolder("shaders")
    atexit.register(folder.close)
    try:
        return lean_shaders(folder.path)
    except UnknownShadersError:
        return SHADERS / options.COLOR_SHADER


def lean_shaders(into: Path) -> Path:
    """Writes the edited copy of the installed shaders.

    Returns:
        The folder to draw with, inside ``into``.

    Raises:
        UnknownShadersError: if what is to be edited is not there.
    """
    lean = into / options.COLOR_SHADER
    for name in ("common", options.COLOR_SHADER):
        shutil.copytree(SHADERS / name, into / name)
    for pattern in _UNREAD_PASSES:
        for file in lean.glob(pattern):
            file.unlink()
    _edit(lean / "gbuffer.frag", _write_less)
    _edit(lean / "deferred.frag", _read_less)
    _edit(into / "common" / "shadow.glsl", _cheaper_shadow)
    return lean


def _edit(file: Path, change: Callable[[str], str]) -> None:
    try:
        file.write_text(change(file.read_text()))
    except OSError as error:
        raise UnknownShadersError(str(error)) from error


def _write_less(text: str) -> str:
    for name in _UNREAD_PICTURES:
        text = _without(rf"^layout\(location = \d+\) out u?vec4 out{name};\n", text)
    for name in _UNREAD_PICTURES[:-1]:
        text = _without(rf"^ *out{name} = [^;]*;\n", text)
    # What shines may be textured: the statement, and the block that follows it.
    text = _without(r"^ *outEmission = [^;]*;\n(?: *if [^{]*\{[^}]*outEmission[^}]*\}\n)?", text)
    # No material has textures of roughness, normals or metal, and none is faceted.
    text = _replaced(r"\(materialBuffer\.textureMask & [248]\) != 0", "false", text, least=3)
    text = _replaced(r"objectDataBuffer\.shadeFlat == 0", "true", text)
    # All is opaque. Only without this can the driver leave unshaded what is hidden.
    text = _without(r"^ *if \(outAlbedo\.a == 0\) \{\s*discard;\s*\}\n", text)
    return _numbered(r"(layout\(location = )\d+(\) out)", text)


def _read_less(text: str) -> str:
    text = _replaced(re.escape(_EMISSION), "vec4(0.0f)", text)
    text = _replaced(_ENVIRONMENT, _UNIFORM, text, least=3)
    text = _replaced(
        r"texture\(samplerBRDFLUT, ([^;]*)\)\.xy;", r"textureLod(samplerBRDFLUT, \1, 0.0f).xy;", text
    )
    for name in _UNREAD_PICTURES:
        text = _without(
            rf"^layout\(set = 2, binding = \d+\) uniform u?sampler2D sampler{name};\n", text, least=0
        )
    return _numbered(r"(layout\(set = 2, binding = )\d+(\))", text)


def _cheaper_shadow(text: str) -> str:
    begin = text.find("float ShadowMapPCF(")
    known = "PCF_SampleCount = 25" in text and "textureGather(" in text[begin:]
    if begin < 0 or not known or text[begin:].count("\n}") != 1:
        raise UnknownShadersError("soft shadows are made in another way")
    return text[:begin] + _SHADOW


def _without(pattern: str, text: str, least: int = 1) -> str:
    return _replaced(pattern, "", text, least)


def _replaced(pattern: str, new: str, text: str, least: int = 1) -> str:
    text, found = re.subn(pattern, new, text, flags=re.MULTILINE)
    if found < least:
        raise UnknownShadersError(f"no {pattern!r}")
    return text


def _numbered(pattern: str, text: str) -> str:
    """Numbers what stands between the two groups of ``pattern`` from 0 on, in the order of the text."""
    count = iter(range(len(text)))
    return re.sub(pattern, lambda found: f"{found[1]}{next(count)}{found[2]}", text)
