import { create, createSlider } from './dom.js'
import { createLightPad } from './light-pad.js'
import { lightLabels } from './light-labels.js'
import { defaultLightSettings, type LightName, type LightSettings } from './lighting.js'
import type { ViewerMode } from './stage.js'

/** What the controls show. */
export interface ControlsState {
  mode: ViewerMode
  modes: readonly ViewerMode[]
  light: LightName
  lights: readonly LightName[]
  lighting: LightSettings
  turning: boolean
  morphNames: readonly string[]
  morphWeights: Readonly<Record<string, number>>
  compare: Compare
  hasPhotograph: boolean
}

/** Where the photograph stands. */
export type Compare = 'off' | 'beside' | 'over'

/** What the controls do. */
export interface ControlsActions {
  setMode(mode: ViewerMode): void
  setLight(light: LightName): void
  setLighting(change: Partial<LightSettings>): void
  setMorph(name: string, weight: number): void
  setCompare(compare: Compare): void
  toggleTurntable(): void
  resetView(): void
}

/** Names of the modes for people, and what they show. */
const MODES: Record<ViewerMode, readonly [label: string, title: string]> = {
  lit: ['Lit', 'The face in its light'],
  diffuse: ['Diffuse', 'Diffuse albedo: the colour of the skin with all light taken out'],
  specular: ['Specular', 'Specular albedo: how much the skin reflects, four times as bright'],
  normals: ['Normals', 'Directions of the surface as colours'],
  shape: ['Shape', 'The shape alone, in clay'],
  wireframe: ['Wireframe', 'Edges of the triangles'],
  uncertainty: ['Uncertainty', 'How far each place may be off, in mm'],
}

const COMPARISONS: [Compare, string][] = [
  ['off', 'Face alone'],
  ['beside', 'Beside'],
  ['over', 'Over it'],
]

const LIGHT_SLIDERS: [keyof LightSettings, string, number, number, number][] = [
  ['azimuth', 'To the side', -180, 180, 1],
  ['elevation', 'Up and down', -90, 90, 1],
  ['diffuse', 'Diffuse light', 0, 2, 0.01],
  ['highlights', 'Highlights', 0, 4, 0.01],
  ['exposure', 'Exposure', 0.2, 3, 0.01],
]

/** Builds the controls: what the face shows, its light, its expression.
 *
 * @returns their element, and a function that shows a new state
 */
export function createControls(actions: ControlsActions) {
  const group = (label: string, ...children: Node[]) =>
    create('fieldset', {}, create('legend', {}, label), ...children)
  const modes = create('div', { class: 'group' })
  const compare = create('div', { class: 'group' })
  const compareGroup = group('Photograph', compare)
  const source = create('select', { 'aria-label': 'Light' })
  source.addEventListener('change', () => actions.setLight(source.value as LightName))
  const sliders = LIGHT_SLIDERS.map(([name, label, min, max, step]) => {
    const range = { min, max, step, value: defaultLightSettings[name] }
    return { name, ...createSlider(label, range, (value) => actions.setLighting({ [name]: value })) }
  })
  const pad = createLightPad(actions.setLighting)
  const turntable = button('Turntable', actions.toggleTurntable)
  const expressions = create('div', { class: 'expressions' })
  const expressionGroup = create(
    'details',
    {},
    create('summary', {}, 'Expression'),
    expressions,
    button('Relax', () => {
      for (const name of shown.names) actions.setMorph(name, 0)
    }),
  )
  const shown: { names: readonly string[]; inputs: Map<string, HTMLInputElement> } = {
    names: [],
    inputs: new Map(),
  }
  const element = create(
    'div',
    { class: 'controls', part: 'controls', role: 'group', 'aria-label': 'Controls of the face' },
    compareGroup,
    group('Show', modes),
    group(
      'Light',
      source,
      pad.element,
      ...sliders.map(({ field }) => field),
      button('Reset light', () => actions.setLighting(defaultLightSettings)),
    ),
    expressionGroup,
    group('View', create('div', { class: 'group' }, turntable, button('Reset view', actions.resetView))),
  )

  const showMorphs = ({ morphNames, morphWeights }: ControlsState) => {
    if (morphNames.join('\n') !== shown.names.join('\n')) {
      shown.names = morphNames
      shown.inputs.clear()
      expressions.replaceChildren(
        ...morphNames.map((name) => {
          const range = { min: 0, max: 1, step: 0.01, value: 0 }
          const { field, input } = createSlider(inWords(name), range, (value) =>
            actions.setMorph(name, value),
          )
          shown.inputs.set(name, input)
          return field
        }),
      )
    }
    for (const [name, input] of shown.inputs) input.value = String(morphWeights[name] ?? 0)
    expressionGroup.hidden = morphNames.length === 0
  }

  return {
    element,
    show(state: ControlsState): void {
      showChoices(
        modes,
        state.modes.map((mode) => [mode, ...MODES[mode]]),
        state.mode,
        (mode) => actions.setMode(mode as ViewerMode),
      )
      showChoices(compare, COMPARISONS, state.compare, (value) => actions.setCompare(value as Compare))
      compareGroup.hidden = !state.hasPhotograph
      if (source.options.length !== state.lights.length)
        source.replaceChildren(...state.lights.map((name) => new Option(lightLabel(name), name)))
      source.value = state.light
      for (const { name, input } of sliders) input.value = String(state.lighting[name])
      pad.show(state.lighting)
      turntable.setAttribute('aria-pressed', String(state.turning))
      showMorphs(state)
    },
  }
}

function button(
  label: string,
  onClick: () => void,
  attributes: Record<string, string> = {},
): HTMLButtonElement {
  const element = create('button', { type: 'button', ...attributes }, label)
  element.addEventListener('click', onClick)
  return element
}

/** Buttons of which one is pressed; they stay the same elements while the choices do, so that the focus stays. */
function showChoices(
  container: HTMLElement,
  choices: readonly (readonly [value: string, label: string, title?: string])[],
  chosen: string,
  choose: (value: string) => void,
): void {
  if (container.childElementCount !== choices.length) {
    container.replaceChildren(
      ...choices.map(([value, label, title]) =>
        button(label, () => choose(value), { 'data-value': value, ...(title && { title }) }),
      ),
    )
  }
  for (const child of container.children)
    child.setAttribute('aria-pressed', String((child as HTMLElement).dataset.value === chosen))
}

const lightLabel = (name: LightName) => (name === 'photograph' ? 'From the photograph' : lightLabels[name])

/** 'mouthSmile_L' as 'mouth smile L'. */
const inWords = (name: string) =>
  name.replaceAll(/[_.-]+/g, ' ').replaceAll(/([a-z])([A-Z][a-z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`)
