import type { Face } from 'facekit'
import { el } from './dom.js'
import type { FaceStage } from './stage/face-stage.js'

/** Widest picture of the face over its photograph, pixels. */
const WIDEST = 1024

/** The photograph with the face laid over it as strongly as a slider says; further photographs below it. */
export function photographView(face: Face, stage: FaceStage, [first, ...others]: readonly string[]) {
  const overlay = el('canvas', { class: 'overlay', 'aria-hidden': 'true' })
  let isDrawn = false
  const draw = () => {
    const strength = Number(slider.value)
    overlay.style.opacity = slider.value
    if (strength === 0 || isDrawn) return
    const image = stage.overlay(Math.min(WIDEST, face.view.width))
    if (!image) return
    Object.assign(overlay, { width: image.width, height: image.height })
    overlay.getContext('2d')?.putImageData(image, 0, 0)
    isDrawn = true
  }
  const slider = el('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.01,
    value: 0,
    id: 'overlay',
    input: draw,
  })
  const element = el(
    'figure',
    {},
    el('div', { class: 'picture' }, el('img', { src: first, alt: 'The picture that you chose' }), overlay),
    others.length > 0 &&
      el(
        'div',
        { class: 'more-pictures' },
        ...others.map((src, i) => el('img', { src, alt: `Picture ${i + 2} of the same person` })),
      ),
    el('figcaption', {}, el('label', { for: 'overlay' }, '3D face over it'), slider),
  )
  return {
    element,
    set hidden(hidden: boolean) {
      element.hidden = hidden
    },
    /** The face looks different from now on. */
    refresh: () => {
      isDrawn = false
      draw()
    },
  }
}
