/** How much of a head is written. */
export type HeadExtent = 'face' | 'full'
