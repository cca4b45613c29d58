import { el } from '../dom.js'

/** Panes of which one is shown, by the pattern for tabs of ARIA: arrow keys move between them. */
export function tabs(title: string, panes: { title: string; content: HTMLElement }[]): HTMLElement {
  const select = (chosen: number, focus = false) => {
    buttons.forEach((button, i) => {
      button.setAttribute('aria-selected', String(i === chosen))
      button.tabIndex = i === chosen ? 0 : -1
      shown[i].hidden = i !== chosen
    })
    if (focus) buttons[chosen].focus()
  }
  const buttons = panes.map(({ title: name }, i) =>
    el(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${i}`,
        'aria-controls': `pane-${i}`,
        click: () => select(i),
        keydown: (event: KeyboardEvent) => {
          const last = panes.length - 1
          const next = {
            ArrowLeft: i === 0 ? last : i - 1,
            ArrowRight: i === last ? 0 : i + 1,
            Home: 0,
            End: last,
          }[event.key]
          if (next === undefined) return
          event.preventDefault()
          select(next, true)
        },
      },
      name,
    ),
  )
  const shown = panes.map(({ content }, i) =>
    el('div', { role: 'tabpanel', id: `pane-${i}`, 'aria-labelledby': `tab-${i}`, tabindex: 0 }, content),
  )
  select(0)
  return el(
    'div',
    { class: 'panel' },
    el('div', { role: 'tablist', 'aria-label': title }, ...buttons),
    ...shown,
  )
}
