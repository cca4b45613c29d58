import { el, icon } from './dom.js'
import { loadingWords } from './words.js'

/** The pictures, one after the other, and how far the work is. */
export function workView(pictures: readonly string[], stop: () => void) {
  const bar = el('progress', { max: 1, value: 0, 'aria-labelledby': 'step' })
  const step = el('h1', { id: 'step' }, 'Opening the picture')
  const loaded = el('p', { class: 'quiet' }, '')
  const image = el('img', { src: pictures[0], alt: 'Your picture' })
  const stage = el('div', { class: 'picture' }, image)
  const element = el(
    'section',
    { class: 'work', 'aria-label': 'Making the 3D face' },
    stage,
    el(
      'div',
      { class: 'work-words' },
      el('div', { class: 'work-progress' }, step, bar, loaded),
      el('button', { type: 'button', class: 'button', click: stop }, icon('cross'), 'Stop'),
    ),
  )
  return {
    element,
    stage,
    /** Shows one of the pictures; its size is known then. */
    show: async (number: number): Promise<HTMLImageElement> => {
      if (image.getAttribute('src') !== pictures[number]) image.src = pictures[number]
      await image.decode().catch(() => undefined)
      return image
    },
    tell: (words: string, share: number, loadedBytes: number) => {
      step.textContent = words
      bar.value = share
      loaded.textContent = share < 0.4 && loadedBytes > 0 ? loadingWords(loadedBytes) : ''
    },
  }
}
