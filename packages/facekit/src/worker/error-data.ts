import {
  AnnotationError,
  BackendError,
  FacekitError,
  ImageError,
  ModelFormatError,
  ShapeError,
  ValueError,
} from '@facekit/core'
import type { ErrorData } from './protocol.js'

const classes = {
  AnnotationError,
  BackendError,
  FacekitError,
  ImageError,
  ModelFormatError,
  ShapeError,
  ValueError,
}

/** What crosses a thread's border of an error. */
export function errorData(error: unknown): ErrorData {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  return { name, message, ...(stack !== undefined && { stack }) }
}

/** The error again, of its class where it is one of facekit's. */
export function errorFrom({ name, message, stack }: ErrorData): Error {
  const isKnown = Object.hasOwn(classes, name)
  const error = isKnown
    ? new classes[name as keyof typeof classes](message)
    : Object.assign(new Error(message), { name })
  if (stack !== undefined) error.stack = stack
  return error
}
