/** Takes pictures that are dropped on the page or pasted into it, one or several. */
export function acceptPictures(body: HTMLElement, take: (pictures: File[]) => void): void {
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
    const files = [...(event.dataTransfer?.files ?? [])]
    if (files.length === 0) return
    event.preventDefault()
    take(files)
  })
  body.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])]
    if (files.length > 0) take(files)
  })
}
