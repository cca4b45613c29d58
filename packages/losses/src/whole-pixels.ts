/** Share of a pixel from which on it counts as covered wholly; what is less shows what is behind the face, too. */
export const WHOLE = 0.999
