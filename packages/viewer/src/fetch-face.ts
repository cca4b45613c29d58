import { FacekitError, ModelFormatError } from '@facekit/core'

/** Bytes of a file at most: a page must not take all memory of the machine. */
const MOST_BYTES = 512 * 2 ** 20

/** Fetches the bytes of a .glb file.
 *
 * @throws {FacekitError} when the address cannot be reached, or answers with an error
 * @throws {ModelFormatError} when the file is too large
 */
export async function fetchFace(src: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await fetch(src, { signal }).catch((cause: unknown) => {
    throw signal.aborted
      ? cause
      : new FacekitError(`facekit-viewer: "${shorten(src)}" cannot be reached`, { cause })
  })
  if (!response.ok)
    throw new FacekitError(`facekit-viewer: "${shorten(src)}" cannot be read: HTTP status ${response.status}`)
  const size = Number(response.headers.get('content-length') ?? 0)
  if (size > MOST_BYTES)
    throw new ModelFormatError(`facekit-viewer: the file has ${size} bytes, at most ${MOST_BYTES}`)
  return response.arrayBuffer()
}

/** Addresses of data are long. */
const shorten = (address: string) => (address.length > 120 ? `${address.slice(0, 117)}...` : address)
