import type { Compare } from './viewer-controls.js'

const COMPARES: Compare[] = ['off', 'beside', 'over']

// There are no elements in Node, where this module is imported when pages are rendered on a server.
const Base = (globalThis.HTMLElement ?? Object) as typeof HTMLElement

/** An element whose attributes are properties of the same names. */
export class AttributeElement extends Base {
  get src(): string {
    return this.getAttribute('src') ?? ''
  }
  set src(value: string) {
    this.setAttribute('src', value)
  }
  get poster(): string {
    return this.getAttribute('poster') ?? ''
  }
  set poster(value: string) {
    this.setAttribute('poster', value)
  }
  get photograph(): string {
    return this.getAttribute('photograph') ?? ''
  }
  set photograph(value: string) {
    this.setAttribute('photograph', value)
  }
  get alt(): string {
    return this.getAttribute('alt') ?? ''
  }
  set alt(value: string) {
    this.setAttribute('alt', value)
  }
  get compare(): Compare {
    const value = this.getAttribute('compare') as Compare
    return this.photograph && COMPARES.includes(value) ? value : 'off'
  }
  set compare(value: Compare) {
    this.setAttribute('compare', value)
  }
  get controls(): boolean {
    return this.hasAttribute('controls')
  }
  set controls(value: boolean) {
    this.toggleAttribute('controls', value)
  }
}
