// Where the pixels of a block of a convolution find their input.

/** Pixels of a block, at most. */
export const SUMMED = 256

// Layout of the scratch memory. For every pixel of a block three numbers: address of its picture, row and column.
export const BUFFER: usize = 0 // 4 x 8 numbers
export const PLACES: usize = 128
export const PANELS: usize = PLACES + SUMMED * 12

/** Where the pixels of a block lie: address of the picture, row and column of the first tap's origin. */
// @ts-ignore: decorator
@inline
export function locate(
  places: usize,
  first: i32,
  count: i32,
  x: usize,
  pictureBytes: i32,
  outHeight: i32,
  outWidth: i32,
  strideY: i32,
  strideX: i32,
): void {
  let column = first % outWidth
  let row = first / outWidth
  let picture = row / outHeight
  row -= picture * outHeight
  for (let i = 0; i < count; i++, places += 12) {
    store<usize>(places, x + <usize>picture * pictureBytes)
    store<i32>(places, row * strideY, 4)
    store<i32>(places, column * strideX, 8)
    if (++column == outWidth) {
      column = 0
      if (++row == outHeight) {
        row = 0
        picture++
      }
    }
  }
}

/** Address of the channels that a pixel sees through a tap; of zeros outside of the picture. */
// @ts-ignore: decorator
@inline
export function seen(place: usize, dy: i32, dx: i32, height: i32, width: i32, bytes: i32, zeros: usize): usize {
  const y = load<i32>(place, 4) + dy
  const x = load<i32>(place, 8) + dx
  // One comparison each: a negative number is a large one without its sign.
  if (<u32>y >= <u32>height || <u32>x >= <u32>width) return zeros
  return load<usize>(place) + <usize>((y * width + x) * bytes)
}

/** Whether a pixel sees the inside of the picture through `n` taps, each one to the right of the one before. */
// @ts-ignore: decorator
@inline
export function seesAll(place: usize, dy: i32, dx: i32, n: i32, height: i32, width: i32): bool {
  const y = load<i32>(place, 4) + dy
  const x = load<i32>(place, 8) + dx
  return <u32>y < <u32>height && x >= 0 && x + n <= width
}
