/** Takes pictures that are dropped on the page or pasted into it. */
export function acceptPictures(body: HTMLElement, take: (picture: File) => void): void {
  let depth = 0
  const mark = (on: boolean) => body.classList.toggle('dropping', on)
  body.addEventListener('dragenter', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    depth++
    mark(true)
  })
  body.addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1)
    if (depth === 0) mark(false)
  })
  body.addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault()
  })
  body.addEventListener('drop', (event) => {
    depth = 0
    mark(false)
    const file = event.dataTransfer?.files[0]
    if (!file) return
    event.preventDefault()
    take(file)
  })
  body.addEventListener('paste', (event) => {
    const file = event.clipboardData?.files[0]
    if (file) take(file)
  })
}
