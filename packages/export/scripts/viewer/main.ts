import { lightUniforms, type LightState } from './light.js'
import { readScene, type Scene } from './scene-data.js'
import type { Mode } from './shaders.js'
import { createStage, type Stage } from './stage.js'

const find = <T extends HTMLElement>(selector: string): T => {
  const element = document.querySelector<T>(selector)
  if (!element) throw new Error(`This page has no ${selector}.`)
  return element
}

function connectModes(stage: Stage): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-mode]')]
  const select = (mode: string) => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.mode === mode))
    stage.setMode(mode as Mode)
  }
  for (const button of buttons) button.addEventListener('click', () => select(button.dataset.mode!))
  select('lit')
}

function connectLight(stage: Stage, scene: Scene): void {
  const inputs = {
    azimuth: find<HTMLInputElement>('#azimuth'),
    elevation: find<HTMLInputElement>('#elevation'),
    diffuse: find<HTMLInputElement>('#diffuse'),
    highlights: find<HTMLInputElement>('#highlights'),
    shininess: find<HTMLInputElement>('#shininess'),
  }
  const source = find<HTMLSelectElement>('#source')
  const pad = find('#pad')
  const knob = find('#knob')
  inputs.shininess.value = String(scene.illumination.shininess)
  // The slider rounds; what was fitted is kept until someone moves it.
  const state: LightState = {
    source: 'photo',
    azimuth: 0,
    elevation: 0,
    diffuse: 1,
    highlights: 1,
    shininess: scene.illumination.shininess,
  }
  const initial = { ...state }
  const update = () => {
    knob.style.left = `${50 + (state.azimuth / 90) * 44}%`
    knob.style.top = `${50 - (state.elevation / 90) * 44}%`
    stage.setLight(lightUniforms(scene, state))
  }
  const show = () => {
    for (const [name, input] of Object.entries(inputs))
      input.value = String(state[name as keyof typeof inputs])
    source.value = state.source
    update()
  }
  for (const [name, input] of Object.entries(inputs)) {
    input.addEventListener('input', () => {
      state[name as keyof typeof inputs] = Number(input.value)
      update()
    })
  }
  source.addEventListener('change', () => {
    state.source = source.value as LightState['source']
    update()
  })
  const drag = (event: PointerEvent) => {
    const box = pad.getBoundingClientRect()
    const clamp = (value: number) => Math.round(Math.min(Math.max(value, -1), 1) * 90)
    state.azimuth = clamp(((event.clientX - box.left) / box.width - 0.5) / 0.44)
    state.elevation = clamp((0.5 - (event.clientY - box.top) / box.height) / 0.44)
    show()
  }
  pad.addEventListener('pointerdown', (event) => {
    pad.setPointerCapture(event.pointerId)
    drag(event)
  })
  pad.addEventListener('pointermove', (event) => {
    if (pad.hasPointerCapture(event.pointerId)) drag(event)
  })
  find('#reset-light').addEventListener('click', () => {
    Object.assign(state, initial)
    show()
  })
  show()
}

function connectKeys(canvas: HTMLCanvasElement, stage: Stage): void {
  const steps: Record<string, [number, number]> = {
    ArrowLeft: [-5, 0],
    ArrowRight: [5, 0],
    ArrowUp: [0, 5],
    ArrowDown: [0, -5],
  }
  canvas.addEventListener('keydown', (event) => {
    const step = steps[event.key]
    if (!step) return
    event.preventDefault()
    stage.orbit(...step)
  })
}

async function start(): Promise<void> {
  const scene = await readScene()
  const canvas = find<HTMLCanvasElement>('#stage')
  const stage = createStage(canvas, scene)
  connectModes(stage)
  connectLight(stage, scene)
  connectKeys(canvas, stage)
  find('#reset-view').addEventListener('click', stage.resetView)
}

start().catch((error: unknown) => {
  const message = find('#message')
  message.hidden = false
  message.textContent = `The 3D view cannot be shown here: ${error instanceof Error ? error.message : String(error)}`
})
