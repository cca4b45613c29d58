import { el, icon } from './dom.js'

/** What a visitor should know of a face, over it, until it is put away; nothing where there is nothing to say. */
export function notices(sentences: readonly string[]): HTMLElement | undefined {
  if (sentences.length === 0) return undefined
  const close = el(
    'button',
    {
      type: 'button',
      class: 'notice-close',
      'aria-label': 'Put this note away',
      click: () => element.remove(),
    },
    icon('cross'),
  )
  const element = el(
    'div',
    { class: 'stage-notice', role: 'note', 'aria-label': 'About this face' },
    el('div', {}, ...sentences.map((words) => el('p', {}, words))),
    close,
  )
  return element
}
