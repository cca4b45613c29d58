import type { Scores } from '../score/score-measures.js'

/** One method on one face. */
export interface CaseResult {
  id: string
  group: string
  method: string
  /** Absent when it could not be scored. */
  scores?: Scores
  quantiles?: number[]
  points?: number
  /** Why it could not be scored, and what was odd, a line each. */
  problems: string[]
  seconds?: number
}

/** All that an evaluation has found. */
export interface EvaluationResults {
  dataset: string
  groups: readonly string[]
  /** In the order of the tables. */
  methods: readonly string[]
  /** Faces of the data set, each of which every method should have. */
  cases: number
  results: readonly CaseResult[]
  /** What is missing of the data set. */
  problems: readonly string[]
}
