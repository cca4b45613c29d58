/** The highlight fades in while the cosine of the angle of incidence rises from 0 to this. */
export const TERMINATOR = 0.05
/** Smallest cosine whose logarithm is taken. */
export const SMALLEST_COSINE = 1e-6
/** Smallest squared length that is divided by. */
export const SMALLEST_SQUARE = 1e-12
