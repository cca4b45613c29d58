/** Makes an element: its properties and attributes, then what is in it. No markup is ever parsed, which the strictest policies of pages forbid. */
export function create<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | number | boolean> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'boolean') element.toggleAttribute(key, value)
    else element.setAttribute(key, String(value))
  }
  element.append(...children)
  return element
}

/** A slider with its name and a reading of its value. */
export function createSlider(
  label: string,
  range: { min: number; max: number; step: number; value: number },
  onInput: (value: number) => void,
): { field: HTMLLabelElement; input: HTMLInputElement } {
  const input = create('input', { type: 'range', ...range })
  input.addEventListener('input', () => onInput(Number(input.value)))
  return { field: create('label', { class: 'field' }, create('span', {}, label), input), input }
}
