/** One channel of linear light as sRGB (IEC 61966-2-1), both 0..1; what lies outside is clamped. */
export function encodeSrgb(linear: number): number {
  const value = Math.min(Math.max(linear, 0), 1)
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055
}

/** Inverse of `encodeSrgb`. */
export function decodeSrgb(encoded: number): number {
  const value = Math.min(Math.max(encoded, 0), 1)
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

const STEPS = 4096

/** A table of sRGB bytes: a texture has millions of numbers, and powers are slow. */
let table: Uint8Array | undefined

/** Linear numbers as sRGB bytes. Off by one step at most where the curve is steep. */
export function srgbBytes(linear: Float32Array, factor = 1): Uint8Array {
  // Indexed by the square root, which spreads the steep dark end over the table.
  table ??= Uint8Array.from({ length: STEPS + 1 }, (_, i) => Math.round(255 * encodeSrgb((i / STEPS) ** 2)))
  const bytes = new Uint8Array(linear.length)
  for (let i = 0; i < linear.length; i++) {
    const value = Math.min(Math.max(linear[i] * factor, 0), 1)
    bytes[i] = table[Math.round(Math.sqrt(value) * STEPS)]
  }
  return bytes
}
