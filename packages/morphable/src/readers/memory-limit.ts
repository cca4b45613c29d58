/** What a packed file may become in memory, as numbers of a type that is worked with: four times the file, and what small files need.
 *
 * Measured shapes and colours hardly pack; a file that unpacks to a hundred times its size is no model.
 */
export const memoryLimit = (fileBytes: number): number => 4 * fileBytes + 2 ** 27
