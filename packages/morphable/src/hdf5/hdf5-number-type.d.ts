/** Where the contents of an HDF5 file begin: behind its user block, which has 0, 512, 1024, 2048, ... bytes; -1 where there is none. */
export function findSuperblock(readAt: (position: number, length: number) => Uint8Array, size: number): number
