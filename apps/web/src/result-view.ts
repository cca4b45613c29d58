import type { Face, HeadExtent, LightName } from 'facekit'
import { choiceRow } from './controls/choice-row.js'
import { downloads } from './controls/downloads.js'
import { Reshaper } from './controls/reshaper.js'
import { expressionSliders, shapeSliders } from './controls/sliders.js'
import { tabs } from './controls/tabs.js'
import { toggle } from './controls/toggle.js'
import { el, icon } from './dom.js'
import { Live } from './live.js'
import { notices } from './notices.js'
import { photographView } from './photograph-view.js'
import type { Mode } from './stage/face-material.js'
import { FaceStage } from './stage/face-stage.js'
import { lightWords, modeHints, modeWords, uncertaintyMarks } from './words.js'

/** The page of a finished face. */
export interface ResultView {
  element: HTMLElement
  dispose(): void
}

/** The face in 3D beside its pictures, with everything that can be done with it. */
export async function resultView(
  face: Face,
  pictures: readonly string[],
  notes: readonly string[],
  again: () => void,
): Promise<ResultView> {
  const canvas = el('canvas', {
    tabindex: 0,
    role: 'img',
    'aria-label':
      'The 3D face. Turn it with the arrow keys, come nearer with plus, go back with minus, and see it from the front with Home.',
  })
  const holder = el('div', { class: 'stage' }, canvas)
  const stage = new FaceStage(canvas)
  await stage.show(face, 'full')
  const { mouth } = await face.maps()
  const photograph = photographView(face, stage, pictures)
  let head: HeadExtent = 'full'
  const reshaper = new Reshaper(
    face,
    () => head,
    (geometry) => {
      stage.reshape(geometry)
      photograph.refresh()
    },
  )
  const hint = el('p', { class: 'quiet' }, modeHints.lit)
  const scale = el(
    'div',
    { class: 'scale', hidden: true, 'aria-hidden': 'true' },
    el('div', { class: 'scale-colors' }),
    ...uncertaintyMarks.map((mark) => el('span', {}, mark)),
  )
  const light = choiceRow('Light', lightWords, 'photograph', (name: LightName) => {
    stage.setLight(name)
    photograph.refresh()
  })
  const look = choiceRow('What to see', modeWords, 'lit', (mode: Mode) => {
    stage.setMode(mode)
    hint.textContent = modeHints[mode]
    scale.hidden = mode !== 'uncertainty'
    light.disabled = mode !== 'lit' && mode !== 'shape'
    photograph.refresh()
  })
  const names = face.parameters.expressionNames ?? []
  const panel = tabs('Change the face', [
    { title: 'Look', content: el('div', { class: 'pane' }, look, hint, scale, light) },
    { title: 'Expression', content: expressionSliders(names, face.parameters.expression, reshaper) },
    { title: 'Form', content: shapeSliders(face.parameters.identity, reshaper) },
    { title: 'Save', content: downloads(face, stage, mouth !== undefined) },
  ])
  const live = new Live(
    face,
    () => head,
    ({ geometry, rotation }) => {
      stage.reshape(geometry)
      stage.turnHead(rotation)
    },
  )
  const camera = toggle('camera', 'Move it yourself', (on) => {
    photograph.hidden = on
    // Its follower moves the extent that it began with.
    whole.element.disabled = on
    if (on) {
      // As before a mirror.
      turntable.set(false)
      stage.resetView()
      void live.start().then(() => {
        camera.set(live.running)
        whole.element.disabled = live.running
      })
      return
    }
    live.stop()
    stage.turnHead([0, 0, 0])
    void reshaper.update()
  })
  const whole = toggle('head', 'Whole head', async (on) => {
    whole.element.disabled = true
    head = on ? 'full' : 'face'
    await stage.show(face, head)
    await reshaper.update()
    photograph.refresh()
    whole.element.disabled = false
  })
  whole.set(true)
  const turntable = toggle('turn', 'Turn around', (on) => (stage.turntable = on))
  const button = (name: Parameters<typeof icon>[0], words: string, click: () => void) =>
    el('button', { type: 'button', class: 'button small', click }, icon(name), words)
  const front = button('front', 'Front', () => {
    stage.resetView()
    turntable.set(false)
  })
  const bar = el(
    'div',
    { class: 'stage-bar' },
    front,
    turntable.element,
    whole.element,
    camera.element,
    button('back', 'New picture', again),
  )
  const element = el(
    'section',
    { class: 'result', 'aria-labelledby': 'result' },
    el('h1', { id: 'result', class: 'hidden-text' }, 'Your 3D face'),
    el('div', { class: 'stage-side' }, holder, notices(notes), bar),
    el('div', { class: 'photo' }, photograph.element, live.element),
    panel,
  )
  return {
    element,
    dispose: () => {
      live.stop()
      stage.dispose()
      face.dispose()
    },
  }
}
