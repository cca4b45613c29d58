import ndarray, { type NdArray } from 'ndarray'
import { denseData } from './dense-data.js'
import type { MorphableModel } from './morphable-model.js'

/** How many modes of each kind are kept: the first ones, which move a face most. */
export interface ModeLimits {
  /** Default all. */
  identityModes?: number | undefined
  expressionModes?: number | undefined
  albedoModes?: number | undefined
}

/** A model with fewer modes; the same one where there is nothing to take away. */
export function limitModes(model: MorphableModel, limits: ModeLimits): MorphableModel {
  const { layout, shape, albedo } = model
  const counts = {
    identity: Math.min(layout.identity, limits.identityModes ?? Infinity),
    expression: Math.min(layout.expression, limits.expressionModes ?? Infinity),
    albedo: Math.min(layout.albedo, limits.albedoModes ?? Infinity),
  }
  if (
    counts.identity === layout.identity &&
    counts.expression === layout.expression &&
    counts.albedo === layout.albedo
  )
    return model
  const first = (modes: NdArray<Float32Array>, count: number) =>
    ndarray(denseData(modes).slice(0, count * model.vertexCount * 3), [count, model.vertexCount, 3])
  return {
    ...model,
    shape: {
      ...shape,
      identity: first(shape.identity, counts.identity),
      expression: first(shape.expression, counts.expression),
      ...(shape.expressionNames && { expressionNames: shape.expressionNames.slice(0, counts.expression) }),
    },
    albedo: {
      ...albedo,
      diffuse: first(albedo.diffuse, counts.albedo),
      specular: first(albedo.specular, counts.albedo),
    },
    layout: counts,
  }
}
