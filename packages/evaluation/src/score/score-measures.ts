/** A number that a face is scored by. */
export interface Measure {
  /** Heading of its table. */
  title: string
  unit: 'mm' | '%' | ''
  /** Digits behind the point. */
  digits: number
  /** Where the published benchmarks have it. */
  source: string
}

/** All measures, by the names that scores have in reports; the first that a data set has is its main one. */
export const measures = {
  pointToPlane: { title: 'Point to plane', unit: 'mm', digits: 2, source: 'Tables 2 to 4 of the paper' },
  nowMedian: { title: 'NoW, median of a face', unit: 'mm', digits: 2, source: 'NoW' },
  nowMean: { title: 'NoW, mean of a face', unit: 'mm', digits: 2, source: 'NoW' },
  realyMean: { title: 'REALY, mean of the regions', unit: 'mm', digits: 3, source: 'REALY' },
  realyNose: { title: 'REALY, nose', unit: 'mm', digits: 3, source: 'REALY' },
  realyMouth: { title: 'REALY, mouth', unit: 'mm', digits: 3, source: 'REALY' },
  realyForehead: { title: 'REALY, forehead', unit: 'mm', digits: 3, source: 'REALY' },
  realyCheek: { title: 'REALY, cheek', unit: 'mm', digits: 3, source: 'REALY' },
  innerMouth: { title: 'Inner mouth', unit: 'mm', digits: 2, source: 'Table 5 of the paper' },
  color: { title: 'Colour', unit: '', digits: 3, source: 'Table 1 of the paper' },
  pointToSurface: { title: 'Point to surface', unit: 'mm', digits: 2, source: '' },
  landmarks: { title: 'Landmarks in space (correspondence)', unit: 'mm', digits: 2, source: '' },
  correspondence: { title: 'Corresponding vertices', unit: 'mm', digits: 2, source: '' },
  chamfer: { title: 'Chamfer distance', unit: 'mm', digits: 2, source: '' },
  nmeBox: { title: 'Landmarks, of sqrt(width x height)', unit: '%', digits: 2, source: 'AFLW2000-3D' },
  nmeInterocular: { title: 'Landmarks, of the eyes’ outer corners', unit: '%', digits: 2, source: '300-W' },
  nmeInterpupil: { title: 'Landmarks, of the eyes’ middles', unit: '%', digits: 2, source: '300-W' },
  nmeDiagonal: { title: 'Landmarks, of the diagonal', unit: '%', digits: 2, source: '' },
} as const satisfies Record<string, Measure>

export type MeasureName = keyof typeof measures

/** Scores of a face: those that its data set and the method allow. */
export type Scores = Partial<Record<MeasureName, number>>
