type Child = Node | string | undefined | false

/** Makes an element: attributes by name, listeners as functions, then what is in it. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, unknown> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value as EventListener)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value))
  }
  for (const child of children) if (child !== undefined && child !== false) element.append(child)
  return element
}

/** One of the drawings in `icons`, which say nothing that the text beside them does not. */
export function icon(name: keyof typeof icons): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('class', 'icon')
  const path = document.createElementNS(space, 'path')
  path.setAttribute('d', icons[name])
  svg.append(path)
  return svg
}

const icons = {
  picture: 'M4 5h16v14H4ZM4 16l4.500-4.500 4 4 3-3L20 17M15.500 9.500h.01',
  camera:
    'M4 8h3.500L9 5.500h6L16.500 8H20v11H4ZM12 16.500a3.300 3.300 0 1 0 0-6.600 3.300 3.300 0 0 0 0 6.600Z',
  save: 'M12 4v11m0 0 4.500-4.500M12 15l-4.500-4.500M5 19.500h14',
  back: 'M10 6 4 12l6 6M4.500 12H20',
  front:
    'M12 4c4 0 6 3 6 7s-2.500 9-6 9-6-5-6-9 2-7 6-7ZM9.500 10.500h.01M14.500 10.500h.01M9.500 15c1.500 1 3.500 1 5 0',
  head: 'M6.500 11.500C6 6 8.500 3.500 12 3.500s6 2.500 5.500 8c-.300 3-1.500 5-3 6V20H9.500v-2.500c-1.500-1-2.700-3-3-6ZM6.500 9.500c-1.500 0-1.500 3 .200 3M17.500 9.500c1.500 0 1.500 3-.200 3',
  turn: 'M5 12a7 7 0 1 0 2.500-5.400M7.500 3v4h4',
  cross: 'M6 6l12 12M18 6 6 18',
}

/** Says something to screen readers, once. */
export function announce(text: string): void {
  const status = document.querySelector('#status')
  if (status && status.textContent !== text) status.textContent = text
}
