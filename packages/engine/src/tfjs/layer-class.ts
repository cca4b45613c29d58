import { serialization } from '@tensorflow/tfjs-core'

/** The prototype of a class of tfjs-layers, with the private members that are used here.
 *
 * tfjs-layers registers its classes with tfjs-core, so that it need not be imported here.
 *
 * @returns undefined without tfjs-layers
 */
export function layerPrototype<Members>(className: string): Members | undefined {
  return serialization.SerializationMap.getMap().classNameMap[className]?.[0].prototype as Members | undefined
}
