import type { FoundFace } from 'facekit'
import { announce, el } from './dom.js'

/** Lets the visitor choose one of several faces, by frames on the picture. */
export function chooseFace(
  stage: HTMLElement,
  image: HTMLImageElement,
  faces: readonly FoundFace[],
  signal: AbortSignal,
): Promise<number> | number {
  if (faces.length < 2) return 0
  const words = `${faces.length} faces were found. Which one shall it be?`
  return new Promise((resolve, reject) => {
    const { naturalWidth: width, naturalHeight: height } = image
    const frames = faces.map(({ box }, i) => {
      const frame = el('button', {
        type: 'button',
        class: 'frame',
        'aria-label': `Face ${i + 1} of ${faces.length}`,
        click: () => done(i),
      })
      Object.assign(frame.style, {
        left: `${(100 * box.x) / width}%`,
        top: `${(100 * box.y) / height}%`,
        width: `${(100 * box.width) / width}%`,
        height: `${(100 * box.height) / height}%`,
      })
      return frame
    })
    const title = el('h1', { class: 'choose', id: 'choose' }, words)
    const group = el('div', { class: 'frames', role: 'group', 'aria-labelledby': 'choose' }, ...frames)
    const page = stage.parentElement
    const clear = () => {
      page?.classList.remove('choosing')
      group.remove()
      title.remove()
    }
    const done = (index: number) => {
      clear()
      resolve(index)
    }
    signal.addEventListener('abort', () => {
      clear()
      reject(signal.reason)
    })
    stage.append(group)
    page?.prepend(title)
    page?.classList.add('choosing')
    announce(words)
    frames[0].focus()
  })
}
