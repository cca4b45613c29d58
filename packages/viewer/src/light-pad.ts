import { create } from './dom.js'
import type { LightSettings } from './lighting.js'

/** A disc to drag the light on; the sliders beside it say the same to the keyboard and to screen readers.
 *
 * @returns its element, and a function that shows where the light is
 */
export function createLightPad(onMove: (change: Pick<LightSettings, 'azimuth' | 'elevation'>) => void) {
  const knob = create('i')
  const element = create(
    'div',
    { class: 'pad', 'aria-hidden': 'true', title: 'Drag to move the light' },
    knob,
  )
  const drag = (event: PointerEvent) => {
    const box = element.getBoundingClientRect()
    const degrees = (share: number) => Math.round(Math.min(Math.max(share / REACH, -1), 1) * 90)
    onMove({
      azimuth: degrees((event.clientX - box.left) / box.width - 0.5),
      elevation: degrees(0.5 - (event.clientY - box.top) / box.height),
    })
  }
  element.addEventListener('pointerdown', (event) => {
    element.setPointerCapture(event.pointerId)
    drag(event)
  })
  element.addEventListener('pointermove', (event) => {
    if (element.hasPointerCapture(event.pointerId)) drag(event)
  })
  return {
    element,
    show({ azimuth, elevation }: LightSettings): void {
      const share = (degrees: number) => (Math.min(Math.max(degrees, -90), 90) / 90) * REACH * 100
      knob.style.left = `${50 + share(azimuth)}%`
      knob.style.top = `${50 - share(elevation)}%`
    },
  }
}

/** Share of the width from the middle to 90 degrees. */
const REACH = 0.44
