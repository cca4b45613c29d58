import type { Face, LightName } from 'facekit'
import { el, icon } from './dom.js'
import { downloads } from './controls/downloads.js'
import { expressionSliders, shapeSliders } from './controls/sliders.js'
import { choiceRow } from './controls/choice-row.js'
import { tabs } from './controls/tabs.js'
import { Reshaper } from './controls/reshaper.js'
import type { Mode } from './stage/face-material.js'
import { FaceStage } from './stage/face-stage.js'
import { lightWords, modeHints, modeWords } from './words.js'

/** The page of a finished face. */
export interface ResultView {
  element: HTMLElement
  dispose(): void
}

/** The face in 3D beside its picture, with everything that can be done with it. */
export async function resultView(face: Face, picture: string, again: () => void): Promise<ResultView> {
  const canvas = el('canvas', {
    tabindex: 0,
    role: 'img',
    'aria-label':
      'The 3D face. Turn it with the arrow keys, come nearer with plus, go back with minus, and see it from the front with Home.',
  })
  const holder = el('div', { class: 'stage' }, canvas)
  const stage = new FaceStage(canvas)
  await stage.show(face)
  const overlay = el('canvas', { class: 'overlay', 'aria-hidden': 'true' })
  const strength = el('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.01,
    value: 0,
    id: 'overlay',
    input: () => drawOverlay(),
  })
  let shown = false
  const drawOverlay = () => {
    overlay.style.opacity = strength.value
    if (Number(strength.value) > 0 && !shown) refreshOverlay()
  }
  const refreshOverlay = () => {
    shown = false
    if (Number(strength.value) === 0) return
    const image = stage.overlay(Math.min(1024, face.view.width))
    if (!image) return
    Object.assign(overlay, { width: image.width, height: image.height })
    overlay.getContext('2d')?.putImageData(image, 0, 0)
    shown = true
  }
  const reshaper = new Reshaper(face, (geometry) => {
    stage.reshape(geometry)
    refreshOverlay()
  })
  const hint = el('p', { class: 'quiet' }, modeHints.lit)
  const light = choiceRow('Light', lightWords, 'photograph', (name: LightName) => {
    stage.setLight(name)
    refreshOverlay()
  })
  const look = choiceRow('What to see', modeWords, 'lit', (mode: Mode) => {
    stage.setMode(mode)
    hint.textContent = modeHints[mode]
    light.disabled = mode !== 'lit' && mode !== 'shape'
    refreshOverlay()
  })
  const names = face.parameters.expressionNames ?? []
  const panel = tabs('Change the face', [
    { title: 'Look', content: el('div', { class: 'pane' }, look, hint, light) },
    { title: 'Expression', content: expressionSliders(names, face.parameters.expression, reshaper) },
    { title: 'Form', content: shapeSliders(face.parameters.identity, reshaper) },
    { title: 'Save', content: downloads(face, stage) },
  ])
  const element = el(
    'section',
    { class: 'result', 'aria-label': 'Your 3D face' },
    el(
      'div',
      { class: 'stage-side' },
      holder,
      el(
        'div',
        { class: 'stage-bar' },
        el(
          'button',
          { type: 'button', class: 'button small', click: () => stage.resetView() },
          icon('turn'),
          'From the front',
        ),
        el(
          'button',
          { type: 'button', class: 'button small', click: again },
          icon('back'),
          'Another picture',
        ),
      ),
    ),
    el(
      'figure',
      { class: 'photo' },
      el(
        'div',
        { class: 'picture' },
        el('img', { src: picture, alt: 'The picture that you chose' }),
        overlay,
      ),
      el('figcaption', {}, el('label', { for: 'overlay' }, '3D face over it'), strength),
    ),
    panel,
  )
  return {
    element,
    dispose: () => {
      stage.dispose()
      face.dispose()
    },
  }
}
