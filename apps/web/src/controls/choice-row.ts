import { el } from '../dom.js'

let count = 0

/** A group of radio buttons that look like chips. */
export function choiceRow<K extends string>(
  title: string,
  words: Readonly<Record<K, string>>,
  first: K,
  choose: (name: K) => void,
): HTMLFieldSetElement {
  const group = `choice-${count++}`
  const chips = (Object.entries(words) as [K, string][]).map(([name, label]) =>
    el(
      'label',
      { class: 'chip' },
      el('input', {
        type: 'radio',
        name: group,
        value: name,
        checked: name === first,
        change: () => choose(name),
      }),
      el('span', {}, label),
    ),
  )
  return el('fieldset', { class: 'choice' }, el('legend', {}, title), el('div', { class: 'chips' }, ...chips))
}
