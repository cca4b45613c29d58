import { takePicture } from './camera.js'
import { el, icon } from './dom.js'

/** Rendered people, whom nobody knows. */
const EXAMPLES = ['1', '2', '3'].map((name) => `examples/${name}.jpg`)

/** The first page: what this is, and the ways to a picture. */
export function startView(take: (pictures: Blob[]) => void, message?: { title: string; advice: string }) {
  const input = el('input', {
    type: 'file',
    accept: 'image/*',
    multiple: true,
    id: 'file',
    class: 'hidden-text',
    change: () => {
      const files = [...(input.files ?? [])]
      if (files.length > 0) take(files)
    },
  })
  const choose = el('label', { for: 'file', class: 'button main' }, icon('picture'), 'Choose a picture')
  const camera = el(
    'button',
    {
      type: 'button',
      class: 'button',
      click: () => void takePicture().then((picture) => picture && take([picture])),
    },
    icon('camera'),
    'Use the camera',
  )
  const examples = EXAMPLES.map((address, i) =>
    el(
      'button',
      {
        type: 'button',
        class: 'example',
        'aria-label': `Try example ${i + 1}`,
        click: () => void fetch(address).then(async (response) => take([await response.blob()])),
      },
      el('img', { src: address, alt: '', width: 96, height: 96 }),
    ),
  )
  const element = el(
    'div',
    { class: 'start' },
    message &&
      el(
        'div',
        { class: 'notice', role: 'alert' },
        el('strong', {}, message.title),
        el('p', {}, message.advice),
      ),
    el(
      'section',
      { class: 'hero', 'aria-labelledby': 'title' },
      el('h1', { id: 'title' }, 'Turn a picture into a 3D face'),
      el(
        'p',
        { class: 'lead' },
        'See it from every side, in another light, with another smile. Then take it with you.',
      ),
      el(
        'div',
        { class: 'drop' },
        el('p', { class: 'drop-words' }, 'Drop a picture of a face here, or paste one'),
        el('div', { class: 'buttons' }, input, choose, camera),
        el(
          'p',
          { class: 'quiet' },
          'Several pictures of the same person, from the front and from the sides, make the face more exact.',
        ),
      ),
      el(
        'div',
        { class: 'examples' },
        el('p', {}, 'No picture at hand? Try one of these. None of them is a real person.'),
        el('div', { class: 'example-row' }, ...examples),
      ),
    ),
    el(
      'ul',
      { class: 'facts' },
      el(
        'li',
        {},
        el('strong', {}, 'Private.'),
        ' The work is done by your own device. No picture is sent anywhere.',
      ),
      el('li', {}, el('strong', {}, 'Works without the internet'), ' once this page has been opened.'),
      el('li', {}, el('strong', {}, 'Free and open.'), ' The 3D face is yours to use in other programs.'),
    ),
  )
  return { element }
}
