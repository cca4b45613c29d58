"""Opens a GLB in Blender, goes to the last key of its animation, and writes where its vertices are and a picture of its base colours.

    blender --background --factory-startup --python open-face.py -- face.glb folder field-of-view distance size
"""
import json
import math
import sys

import numpy

# The importer of Blender 3.4 names types that NumPy 1.24 has no more.
for name, value in (("bool", bool), ("int", int), ("float", float), ("object", object)):
    if name not in vars(numpy):
        setattr(numpy, name, value)

import bpy  # noqa: E402

source, folder, field_of_view, distance, size = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=source)
scene = bpy.context.scene
(mesh,) = [found for found in bpy.data.objects if found.type == "MESH"]
last = max(action.frame_range[1] for action in bpy.data.actions)
scene.frame_set(math.floor(last), subframe=last % 1)
posed = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
vertices = [posed.matrix_world @ vertex.co for vertex in posed.data.vertices]
keys = mesh.data.shape_keys.key_blocks
report = {
    # Blender has z up: back to y, in mm.
    "vertices": [value for x, y, z in vertices for value in (1000 * x, 1000 * z, -1000 * y)],
    "names": [key.name for key in keys][1:],
    "weights": [key.value for key in keys][1:],
    "joints": [bone.name for armature in bpy.data.armatures for bone in armature.bones],
}
with open(f"{folder}/report.json", "w") as file:
    json.dump(report, file)

# Base colours, as they are: what lights do to them is each program's own.
for material in bpy.data.materials:
    nodes, links = material.node_tree.nodes, material.node_tree.links
    (principled,) = [node for node in nodes if node.type == "BSDF_PRINCIPLED"]
    (output,) = [node for node in nodes if node.type == "OUTPUT_MATERIAL"]
    emission = nodes.new("ShaderNodeEmission")
    base = principled.inputs["Base Color"]
    if base.is_linked:
        links.new(base.links[0].from_socket, emission.inputs["Color"])
    else:
        emission.inputs["Color"].default_value = base.default_value
    links.new(emission.outputs["Emission"], output.inputs["Surface"])
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
camera.data.sensor_fit = "VERTICAL"
camera.data.angle = float(field_of_view)
camera.location = (0, -float(distance) / 1000, 0)
camera.rotation_euler = (math.pi / 2, 0, 0)
scene.collection.objects.link(camera)
scene.camera = camera
scene.world = bpy.data.worlds.new("black")
scene.world.color = (0, 0, 0)
scene.render.engine = "CYCLES"
scene.cycles.samples = 16
scene.cycles.use_denoising = False
scene.render.resolution_x = scene.render.resolution_y = int(size)
scene.render.film_transparent = True
scene.render.image_settings.file_format = "PNG"
scene.render.image_settings.color_mode = "RGBA"
scene.view_settings.view_transform = "Standard"
scene.render.filepath = f"{folder}/picture.png"
bpy.ops.render.render(write_still=True)
