import { el, icon } from './dom.js'

/** The picture, and how far the work is. */
export function workView(picture: string, stop: () => void) {
  const bar = el('progress', { max: 1, value: 0, 'aria-labelledby': 'step' })
  const step = el('h2', { id: 'step' }, 'Opening the picture')
  const loaded = el('p', { class: 'quiet' }, '')
  const stage = el('div', { class: 'picture' }, el('img', { src: picture, alt: 'Your picture' }))
  const element = el(
    'section',
    { class: 'work', 'aria-label': 'Making the 3D face' },
    stage,
    el(
      'div',
      { class: 'work-words' },
      step,
      bar,
      loaded,
      el('button', { type: 'button', class: 'button', click: stop }, icon('cross'), 'Stop'),
    ),
  )
  return {
    element,
    stage,
    tell: (words: string, share: number, loadedBytes: number) => {
      step.textContent = words
      bar.value = share
      loaded.textContent =
        share < 0.4 && loadedBytes > 0
          ? `The first time, about 11 MB are loaded (${(loadedBytes / 1e6).toFixed(1)} so far).`
          : ''
    },
  }
}
