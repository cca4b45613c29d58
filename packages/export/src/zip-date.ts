/** The first day that a zip knows: the date of every entry that we write, so that the same face gives the same bytes. */
export const zipDate = new Date(1980, 0, 1)
