import { create } from './dom.js'
import { MOST_UNCERTAIN } from './face-shaders.js'
import { createControls, type ControlsActions, type ControlsState } from './viewer-controls.js'
import { viewerStyle } from './viewer-style.js'

/** What the element shows. */
export interface ViewerState extends ControlsState {
  /** Addresses; empty: none. */
  poster: string
  photograph: string
  hasControls: boolean
  /** Percent of the width where the photograph lies open. */
  wipe: number
}

/** What people do with the element. */
export interface ViewerActions extends ControlsActions {
  setWipe(percent: number): void
}

export type ViewerParts = ReturnType<typeof createParts>

/** Builds what is in the element. */
export function createParts(root: ShadowRoot, canvas: HTMLCanvasElement, actions: ViewerActions) {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(viewerStyle)
  root.adoptedStyleSheets = [sheet]
  const poster = create('img', { class: 'poster', alt: '' })
  const under = create('img', { alt: '', hidden: true })
  const divider = create('div', { class: 'divider', hidden: true })
  const message = create('p', { class: 'message', role: 'alert', hidden: true, part: 'message' })
  const progress = create('progress', { 'aria-label': 'The face is being loaded', hidden: true })
  const legend = create(
    'div',
    { class: 'legend', hidden: true },
    '0 mm',
    create('i'),
    `${MOST_UNCERTAIN} mm or more`,
  )
  const stage = create(
    'div',
    { class: 'stage', part: 'stage' },
    under,
    canvas,
    divider,
    poster,
    legend,
    message,
    progress,
  )
  const photo = create('img', { alt: 'The photograph' })
  const figure = create('figure', { class: 'photograph', hidden: true }, photo)
  const wipe = create('input', {
    type: 'range',
    min: 0,
    max: 100,
    'aria-label': 'Photograph on the left, face on the right',
    hidden: true,
  })
  wipe.addEventListener('input', () => actions.setWipe(Number(wipe.value)))
  const views = create('div', { class: 'views' }, figure, stage, wipe)
  const controls = createControls(actions)
  const layout = create('div', { class: 'layout' }, views, controls.element)
  root.append(layout)
  return {
    layout,
    views,
    canvas,
    poster,
    under,
    divider,
    message,
    progress,
    legend,
    photo,
    figure,
    wipe,
    controls,
  }
}

/** Brings everything that is seen to a state; the face itself is the stage's. */
export function showState(parts: ViewerParts, state: ViewerState): void {
  const { compare, photograph, wipe } = state
  showPicture(parts.poster, state.poster)
  showPicture(parts.under, compare === 'over' ? photograph : '')
  showPicture(parts.photo, compare === 'beside' ? photograph : '')
  parts.figure.hidden = compare !== 'beside'
  parts.views.dataset.compare = compare
  for (const part of [parts.divider, parts.wipe]) part.hidden = compare !== 'over'
  parts.wipe.value = String(wipe)
  parts.divider.style.left = `${wipe}%`
  parts.canvas.style.clipPath = compare === 'over' ? `inset(0 0 0 ${wipe}%)` : ''
  parts.legend.hidden = state.mode !== 'uncertainty'
  parts.layout.classList.toggle('with-controls', state.hasControls)
  parts.controls.element.hidden = !state.hasControls
  parts.controls.show(state)
}

/** Says where the face is seen from, degrees to its right and above it. */
export function viewInWords({ right, up }: { right: number; up: number }): string {
  const places = [
    right !== 0 && `${Math.abs(right)} degrees from the ${right > 0 ? 'right' : 'left'}`,
    up !== 0 && `${Math.abs(up)} degrees from ${up > 0 ? 'above' : 'below'}`,
  ].filter(Boolean)
  return places.length > 0 ? `seen ${places.join(' and ')}` : 'seen from the front'
}

function showPicture(image: HTMLImageElement, address: string): void {
  image.hidden = address === ''
  if (address && image.getAttribute('src') !== address) image.setAttribute('src', address)
}
