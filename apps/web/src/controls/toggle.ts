import { el, icon } from '../dom.js'

/** A button that stays pressed.
 *
 * @param change - is called when it is pressed
 */
export function toggle(
  name: Parameters<typeof icon>[0],
  words: string,
  change: (on: boolean) => void,
): { element: HTMLButtonElement; set(on: boolean): void } {
  const set = (on: boolean) => element.setAttribute('aria-pressed', String(on))
  const element = el(
    'button',
    {
      type: 'button',
      class: 'button small',
      'aria-pressed': 'false',
      click: () => {
        const on = element.getAttribute('aria-pressed') !== 'true'
        set(on)
        change(on)
      },
    },
    icon(name),
    words,
  )
  return { element, set }
}
