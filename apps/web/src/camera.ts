import { openCamera, refusal, stopStream } from './camera-stream.js'
import { el, icon } from './dom.js'

/** Asks the camera for a picture, in a window of the page.
 *
 * @returns undefined when the visitor closes it
 */
export async function takePicture(): Promise<Blob | undefined> {
  const video = el('video', {
    autoplay: true,
    playsinline: true,
    muted: true,
    'aria-label': 'What the camera sees',
  })
  const words = el('p', { class: 'camera-words', role: 'status' }, 'Please allow the camera.')
  const shoot = el(
    'button',
    { type: 'button', class: 'button main', disabled: true },
    icon('camera'),
    'Take the picture',
  )
  const cancel = el('button', { type: 'button', class: 'button' }, 'Cancel')
  const dialog = el(
    'dialog',
    { class: 'camera', 'aria-label': 'Camera' },
    video,
    words,
    el('div', { class: 'buttons' }, shoot, cancel),
  )
  document.body.append(dialog)
  dialog.showModal()
  let stream: MediaStream | undefined
  const ended = new Promise<undefined>((resolve) => {
    dialog.addEventListener('close', () => resolve(undefined))
    cancel.addEventListener('click', () => dialog.close())
  })
  const shot = new Promise<Blob | undefined>((resolve) => {
    shoot.addEventListener('click', () => void frameOf(video).then(resolve))
  })
  void openCamera({ width: 1280, height: 960 }).then(
    (found) => {
      stream = found
      if (!dialog.open) return stopStream(found)
      video.srcObject = found
      video.addEventListener('playing', () => {
        words.textContent = 'Look straight into the camera, in good light.'
        shoot.disabled = false
        shoot.focus()
      })
    },
    (error: Error) => {
      words.textContent = refusal(error)
      video.hidden = true
      shoot.hidden = true
    },
  )
  try {
    return await Promise.race([shot, ended])
  } finally {
    if (stream) stopStream(stream)
    dialog.close()
    dialog.remove()
  }
}

async function frameOf(video: HTMLVideoElement): Promise<Blob | undefined> {
  const canvas = el('canvas', { width: video.videoWidth, height: video.videoHeight })
  canvas.getContext('2d')?.drawImage(video, 0, 0)
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), 'image/jpeg', 0.95))
}
