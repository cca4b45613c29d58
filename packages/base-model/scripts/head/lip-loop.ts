import { boundaryLoops } from '@facekit/mesh'

/** The edge of the lips on a face's mesh: of the loops of its border that are around the middle, the lowest. */
export function lipLoop(triangles: Int32Array, positions: ArrayLike<number>): number[] {
  const loops = boundaryLoops(triangles).map((loop) => [...loop])
  const mean = (loop: readonly number[], c: number) =>
    loop.reduce((sum, v) => sum + positions[3 * v + c], 0) / loop.length
  const outer = loops.reduce((a, b) => (a.length > b.length ? a : b))
  const inner = loops.filter((loop) => loop !== outer && Math.abs(mean(loop, 0)) < 5)
  return inner.reduce((a, b) => (mean(a, 1) < mean(b, 1) ? a : b))
}
