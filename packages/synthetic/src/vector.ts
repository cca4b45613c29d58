/** x, y, z. */
export type Vector3 = readonly [number, number, number]

/** The vector whose components a function gives. */
export const vector3 = (component: (axis: 0 | 1 | 2) => number): [number, number, number] => [
  component(0),
  component(1),
  component(2),
]
