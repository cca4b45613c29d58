import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Picture } from '@facekit/annotate'
import { ValueError } from '@facekit/core'
import ndarray from 'ndarray'
import type { Frame } from './frame.js'

interface Stream {
  color_space?: string
  color_transfer?: string
  height?: number
}

/** Times of a video's pictures in seconds, from 0.
 *
 * @throws {ValueError} when ffprobe is missing, or the file is no video it can read
 */
export async function probeVideo(file: string): Promise<number[]> {
  const packets = await output('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'packet=pts_time',
    '-of',
    'csv=p=0',
    file,
  ])
  const times = packets
    .split('\n')
    .map((line) => Number.parseFloat(line))
    .filter(Number.isFinite)
    .sort((a, b) => a - b)
  if (times.length === 0) throw new ValueError(`${file}: holds no video that ffmpeg can read`)
  return times.map((time) => time - times[0])
}

/** The pictures of a video, each once, as they were taken: turned upright, none doubled for a constant rate.
 *
 * @throws {ValueError} for HDR (PQ, HLG), which needs tone mapping first
 */
export async function* readVideo(
  file: string,
  times: readonly number[],
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const probed = await output('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_streams',
    '-of',
    'json',
    file,
  ])
  const [stream = {}] = (JSON.parse(probed) as { streams: Stream[] }).streams
  if (/smpte2084|arib-std-b67/.test(stream.color_transfer ?? ''))
    throw new ValueError(`${file}: is HDR (${stream.color_transfer}); tone-map it to BT.709 first`)
  // Without a tag ffmpeg takes BT.601, which is right for small pictures only.
  const untagged = !stream.color_space || stream.color_space === 'unknown'
  const matrix = untagged && (stream.height ?? 0) >= 720 ? ['-vf', 'scale=in_color_matrix=bt709'] : []
  const child = spawn(
    'ffmpeg',
    [
      '-v',
      'error',
      '-nostdin',
      '-i',
      file,
      '-map',
      '0:v:0',
      ...matrix,
      '-fps_mode',
      'passthrough',
      '-f',
      'image2pipe',
      '-c:v',
      'ppm',
      '-pix_fmt',
      'rgb24',
      '-',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], signal },
  )
  let complaint = ''
  child.stderr.on('data', (data) => (complaint += String(data)))
  const ended = once(child, 'close').catch((error: unknown) => [error])
  try {
    let index = 0
    for await (const picture of pictures(child.stdout)) {
      const time = times[index] ?? (times.at(-1) ?? 0) + (index - times.length + 1) / 25
      yield { index, time, picture: () => Promise.resolve(picture) }
      index++
    }
    const [code] = (await ended) as unknown[]
    signal.throwIfAborted()
    if (code !== 0)
      throw new ValueError(
        `${file}: ffmpeg stopped at picture ${index}: ${complaint.trim().split('\n').at(-1)}`,
      )
  } finally {
    child.kill()
  }
}

/** Cuts a stream of PPM files (P6, 8 bits) into pictures. */
async function* pictures(stream: AsyncIterable<Buffer>): AsyncGenerator<Picture> {
  let chunks: Buffer[] = []
  let size = 0
  let header: { width: number; height: number; start: number } | undefined
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    for (;;) {
      if (!header) {
        const head = Buffer.concat(chunks).subarray(0, 64).toString('latin1')
        const found = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(head)
        if (!found) break
        header = { width: Number(found[1]), height: Number(found[2]), start: found[0].length }
      }
      const { width, height, start } = header
      const end = start + 3 * width * height
      if (size < end) break
      const all = Buffer.concat(chunks)
      yield ndarray(Uint8Array.from(all.subarray(start, end)), [height, width, 3])
      chunks = [all.subarray(end)]
      size = all.length - end
      header = undefined
    }
  }
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [text, complaint] = ['', '']
  child.stdout.on('data', (data) => (text += String(data)))
  child.stderr.on('data', (data) => (complaint += String(data)))
  const [code] = (await once(child, 'close').catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT'
    throw new ValueError(
      missing
        ? `${command} was not found: install ffmpeg, or pass a folder of the video's pictures`
        : cause.message,
      { cause },
    )
  })) as [number]
  if (code !== 0)
    throw new ValueError(`${args.at(-1)}: ${complaint.trim().split('\n').at(-1) || `${command} failed`}`)
  return text
}
