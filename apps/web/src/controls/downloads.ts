import type { Face, RgbaImage } from 'facekit'
import { announce, el, icon } from '../dom.js'
import type { FaceStage } from '../stage/face-stage.js'

type FileToSave = [title: string, words: string, name: string, make: () => Promise<Blob>]

/** What can be taken along. */
export function downloads(face: Face, stage: FaceStage, hasMouth: boolean): HTMLElement {
  const mouth: FileToSave = [
    'Mouth',
    'what is between the lips (PNG)',
    'face-mouth.png',
    async () => png((await face.maps()).mouth!),
  ]
  const files: FileToSave[] = [
    [
      '3D face',
      'for Blender, Unity and other 3D programs (GLB)',
      'face.glb',
      async () => new Blob([await face.glb()], { type: 'model/gltf-binary' }),
    ],
    [
      '3D face for iPhone and Mac',
      'opens in their own viewer (USDZ)',
      'face.usdz',
      async () => new Blob([await face.usdz()], { type: 'model/vnd.usdz+zip' }),
    ],
    ['This view', 'as a picture (PNG)', 'face.png', async () => (await stage.picture())!],
    ['Skin colour', 'laid out flat (PNG)', 'face-skin.png', async () => png((await face.maps()).diffuse)],
    ['Shine', 'laid out flat (PNG)', 'face-shine.png', async () => png((await face.maps()).specular)],
    ['Fine relief', 'laid out flat (PNG)', 'face-relief.png', async () => png((await face.maps()).normal!)],
    ...(hasMouth ? [mouth] : []),
    [
      'All numbers',
      'for programmers (JSON)',
      'face.json',
      async () => new Blob([JSON.stringify(face.parameters, null, 1)], { type: 'application/json' }),
    ],
  ]
  const buttons = files.map(([title, words, name, make]) => {
    const button = el(
      'button',
      {
        type: 'button',
        class: 'file',
        click: async () => {
          button.disabled = true
          try {
            save(await make(), name)
            announce(`${title} was saved as ${name}`)
          } finally {
            button.disabled = false
          }
        },
      },
      icon('save'),
      el('span', {}, el('strong', {}, title), ' ', el('span', { class: 'quiet' }, words)),
    )
    return button
  })
  return el('div', { class: 'pane files' }, ...buttons)
}

async function png({ width, height, data }: RgbaImage): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height)
  const image = new ImageData(new Uint8ClampedArray(data), width, height)
  canvas.getContext('2d')!.putImageData(image, 0, 0)
  return canvas.convertToBlob({ type: 'image/png' })
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  el('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
