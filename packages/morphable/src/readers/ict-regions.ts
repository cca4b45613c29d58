/** Number of vertices of the light model's meshes. */
export const ictVertexCount = 26719

/** First and last vertex of each region that is read, as the distribution's README lists them. */
export const ictRegions = {
  full: [0, 9408],
  narrow: [0, 6705],
  scleraLeft: [21451, 22220],
  irisLeft: [22221, 23020],
  scleraRight: [23021, 23790],
  irisRight: [23791, 24590],
} as const satisfies Record<string, readonly [number, number]>

/** First and last polygon of each region. */
export const ictPolygons = {
  full: [0, 9229],
  narrow: [0, 6559],
  scleraLeft: [21496, 22295],
  irisLeft: [22296, 23093],
  scleraRight: [23094, 23893],
  irisRight: [23894, 24691],
} as const satisfies Record<keyof typeof ictRegions, readonly [number, number]>
