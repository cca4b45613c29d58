/** The 68 landmarks of a mesh as somebody published them: vertex of each, -1 where the list has none. Lists disagree (at the inner
 * mouth, and where the jaw ends), so they are proposals, and each is checked against the mesh. */
export interface PublishedLandmarks {
  vertexCount: number
  source: string
  vertices: readonly number[]
}

/** Facts (numbers of vertices) from public repositories; the Basel Face Model itself names only some points. */
export const publishedLandmarks: readonly PublishedLandmarks[] = [
  {
    vertexCount: 28588,
    source: 'NextFace, landmark_68.txt',
    vertices: [
      16203, 16235, 16260, 16290, -1, -1, -1, 26869, 27061, 27253, -1, -1, -1, 22481, 22451, 22426, 22394,
      22586, 22991, 23303, 23519, 23736, 24312, 24527, 24743, 25055, 25466, 8134, 8143, 8151, 8157, 6986,
      7695, 8167, 8639, 9346, 2602, 4146, 4920, 5830, 4674, 3900, 10390, 11287, 12061, 13481, 12331, 11557,
      5522, 6026, 7355, 8181, 9007, 10329, 10857, 9730, 8670, 8199, 7726, 6898, 6291, 7364, 8190, 9016, 10088,
      8663, 8191, 7719,
    ],
  },
  {
    vertexCount: 28588,
    source: 'Landmarks68_model2017-1_face12_nomouth.anl',
    vertices: [
      16214, 16229, 16248, 16270, 16295, 25899, 26351, 26776, 27064, 27352, 27790, 28275, 22486, 22462, 22440,
      22422, 22406, 17471, 22988, 23398, 23613, 23834, 8800, 24358, 24575, 24934, 19912, 8108, 8135, 8148,
      8156, 6389, 7341, 8168, 8993, 9938, 2218, 4275, 5049, 5962, 4803, 4025, 10014, 11030, 11674, 13100,
      11943, 11299, 5263, 6024, 7354, 8180, 8770, 9954, 10727, 9139, 8551, 8198, 7726, 7137, 6295, 7480, 8188,
      8778, 10337, 8546, 8192, 7838,
    ],
  },
  {
    vertexCount: 53149,
    source: 'eos, ibug_to_bfm2017-1_bfm_nomouth.txt',
    vertices: [
      -1, -1, -1, -1, -1, -1, -1, -1, 47846, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
      -1, -1, -1, -1, -1, 8156, -1, -1, -1, -1, -1, 2602, -1, -1, 5830, -1, -1, 10390, -1, -1, 13481, -1, -1,
      5522, 6026, 7355, 8181, 9007, 10329, 10857, 9730, 8670, 8199, 7726, 6898, 6291, 7364, 8190, 9016, 10088,
      8663, 8191, 7719,
    ],
  },
]

/** Landmarks of iBUG / 300-W that named points of Statismo files stand for. */
export const namedLandmarks: Readonly<Record<string, number>> = {
  'center.chin.tip': 8,
  'center.nose.tip': 30,
  'center.nose.attachement_to_philtrum': 33,
  'right.nose.wing.tip': 31,
  'left.nose.wing.tip': 35,
  'right.eye.corner_outer': 36,
  'right.eye.corner_inner': 39,
  'left.eye.corner_inner': 42,
  'left.eye.corner_outer': 45,
  'right.lips.corner': 48,
  'left.lips.corner': 54,
  'center.lips.upper.outer': 51,
  'center.lips.lower.outer': 57,
  'center.lips.upper.inner': 62,
  'center.lips.lower.inner': 66,
}
