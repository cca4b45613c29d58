/** Asks for the camera that looks at the visitor.
 *
 * @throws what `refusal` puts into words
 */
export async function openCamera({ width, height }: { width: number; height: number }): Promise<MediaStream> {
  // Pages that are not served safely have no cameras.
  if (!navigator.mediaDevices) throw new Error('no camera')
  return navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'user', width: { ideal: width }, height: { ideal: height } },
  })
}

export const stopStream = (stream: MediaStream): void => stream.getTracks().forEach((track) => track.stop())

/** Why there is no camera, and what to do. */
export function refusal({ name }: Error): string {
  if (name === 'NotAllowedError')
    return 'The camera was not allowed. You can allow it beside the address of this page, or choose a picture instead.'
  if (name === 'NotReadableError')
    return 'Another program is using the camera. Close it, or choose a picture instead.'
  return 'No camera was found. You can choose a picture instead.'
}
