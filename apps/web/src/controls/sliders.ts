import { el, icon } from '../dom.js'
import { expressionGroups } from '../words.js'
import type { Reshaper } from './reshaper.js'

/** As many coefficients of the shape as differ visibly. */
const SHAPES = 12

interface Slider {
  label: string
  min: number
  max: number
  value: number
  change: (value: number) => void
}

/** Sliders of all expressions, in groups. */
export function expressionSliders(
  names: readonly string[],
  values: readonly number[],
  reshaper: Reshaper,
): HTMLElement {
  const groups = expressionGroups(names).map(({ title, sliders }, i) =>
    el(
      'details',
      { class: 'group', open: i === 2 },
      el('summary', {}, title),
      ...sliders.map(({ name, label }) =>
        slider(
          {
            label,
            min: 0,
            max: 1,
            value: values[names.indexOf(name)],
            change: (value) => (reshaper.expression[name] = value),
          },
          reshaper,
        ),
      ),
    ),
  )
  return pane('Expressions of the face, from nothing to full strength.', groups)
}

/** Sliders of the first coefficients of the shape. */
export function shapeSliders(values: readonly number[], reshaper: Reshaper): HTMLElement {
  const sliders = values.slice(0, SHAPES).map((value, k) =>
    slider(
      {
        label: `Form ${k + 1}`,
        min: -3,
        max: 3,
        value,
        change: (to) => (reshaper.identity[k] = to),
      },
      reshaper,
    ),
  )
  return pane(
    'Each slider changes the whole face: the first ones most. In the middle is an average face.',
    sliders,
  )
}

function pane(words: string, children: HTMLElement[]): HTMLElement {
  const reset = el(
    'button',
    {
      type: 'button',
      class: 'button small',
      click: () => {
        for (const input of element.querySelectorAll<HTMLInputElement>('input')) {
          input.value = input.dataset.first!
          input.dispatchEvent(new Event('input'))
        }
      },
    },
    icon('turn'),
    'As in the picture',
  )
  const element = el('div', { class: 'pane' }, el('p', { class: 'quiet' }, words), reset, ...children)
  return element
}

let count = 0

function slider({ label, min, max, value, change }: Slider, reshaper: Reshaper): HTMLElement {
  const id = `slider-${count++}`
  const shown = Math.min(Math.max(value, min), max)
  const input = el('input', {
    type: 'range',
    id,
    min,
    max,
    step: 0.01,
    value: shown,
    'data-first': shown,
    input: () => {
      change(Number(input.value))
      void reshaper.update()
    },
  })
  return el('div', { class: 'slider' }, el('label', { for: id }, label), input)
}
