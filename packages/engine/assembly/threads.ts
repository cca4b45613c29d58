// Tasks of one kernel, shared among threads. Only in the build for shared memory.
//
// One number of 64 bits says which tasks there are to take: how many jobs there have been (24 bits), how many tasks the present one has, and
// the next one to take (20 bits each). Who takes a task puts the number up by one, and only if it has not changed meanwhile: so nobody takes a
// task of a job that he has not read, and the job's arguments stay until all of its tasks are done. A thread that sleeps through a job delays nobody.
import { convolve } from './convolution'
import { filterGradient } from './filter-gradient'
import { packColumns, packTransposed } from './matrix'
import { adam } from './optimizer'

const TICKET: usize = 0
/** Is put up by one to wake those who wait for a job. */
const CALL: usize = 8
const DONE: usize = 12
const KIND: usize = 16
const SCRATCH: usize = 20
const SCRATCH_BYTES: usize = 24
/** 32 numbers that the job's tasks understand. */
const ARGUMENTS: usize = 64

const MASK: i64 = 0xfffff

/** Bytes of the control block. */
export function controlBytes(): i32 {
  return <i32>ARGUMENTS + 32 * 4
}

// @ts-ignore: decorator
@inline
function argument(control: usize, i: i32): i32 {
  return load<i32>(control + ARGUMENTS + <usize>i * 4)
}

/** One task of a convolution: a range of pixels, and a range of outputs. */
function convolveTask(control: usize, task: i32, scratch: usize): void {
  const outputs = argument(control, 12)
  const pixels = argument(control, 19)
  const pixelsAtOnce = argument(control, 20)
  const outputsAtOnce = argument(control, 21)
  const parts = (outputs + outputsAtOnce - 1) / outputsAtOnce
  const first = (task / parts) * pixelsAtOnce
  const output = (task % parts) * outputsAtOnce
  const taps = argument(control, 6)
  const channels = argument(control, 3)
  const bias = argument(control, 17)
  convolve(
    argument(control, 0),
    argument(control, 1),
    argument(control, 2),
    channels,
    argument(control, 4),
    argument(control, 5),
    taps,
    argument(control, 7),
    argument(control, 8),
    argument(control, 9),
    argument(control, 10),
    argument(control, 11) + <usize>(output >> 3) * <usize>(taps * channels * 32),
    min(outputsAtOnce, outputs - output),
    argument(control, 13) + output * 4,
    argument(control, 14),
    argument(control, 15),
    argument(control, 16),
    bias == 0 ? 0 : bias + output * 4,
    argument(control, 18),
    first,
    min(first + pixelsAtOnce, pixels),
    scratch,
  )
}

/** One task of a filter's gradient: a range of taps, and a range of outputs. */
function filterGradientTask(control: usize, task: i32, scratch: usize): void {
  const taps = argument(control, 6)
  const outputs = argument(control, 13)
  const tapsAtOnce = argument(control, 16)
  const outputsAtOnce = argument(control, 17)
  const parts = (outputs + outputsAtOnce - 1) / outputsAtOnce
  const tap = (task / parts) * tapsAtOnce
  const output = (task % parts) * outputsAtOnce
  filterGradient(
    argument(control, 0),
    argument(control, 1),
    argument(control, 2),
    argument(control, 3),
    argument(control, 4),
    argument(control, 5),
    tap,
    min(tap + tapsAtOnce, taps),
    argument(control, 7),
    argument(control, 8),
    argument(control, 9),
    argument(control, 10),
    argument(control, 11),
    argument(control, 12) + output * 4,
    min(outputsAtOnce, outputs - output),
    outputs,
    argument(control, 14) + output * 4,
    scratch,
  )
}

/** One task of packing a filter: some panels of one tap. */
function packTask(control: usize, task: i32): void {
  const deep = argument(control, 2)
  const columns = argument(control, 3)
  const bytes = argument(control, 4)
  const panelBytes = argument(control, 5)
  const columnsAtOnce = argument(control, 8)
  const groups = (columns + columnsAtOnce - 1) / columnsAtOnce
  const tap = task / groups
  const first = (task % groups) * columnsAtOnce
  const count = min(columnsAtOnce, columns - first)
  const from = argument(control, 0) + tap * argument(control, 6)
  const to = argument(control, 1) + tap * deep * 32 + (first >> 3) * panelBytes
  if (argument(control, 7) != 0) packTransposed(from + first * bytes, to, deep, count, bytes, panelBytes)
  else packColumns(from + first * 4, to, deep, count, bytes, panelBytes)
}

// @ts-ignore: decorator
@inline
function float(control: usize, i: i32): f32 {
  return load<f32>(control + ARGUMENTS + <usize>i * 4)
}

/** One task of a step of Adam: some of a variable's numbers. */
function adamTask(control: usize, task: i32): void {
  const atOnce = argument(control, 5)
  const first = task * atOnce
  adam(
    min(atOnce, argument(control, 0) - first),
    argument(control, 1) + first * 4,
    argument(control, 2) + first * 4,
    argument(control, 3) + first * 4,
    argument(control, 4) + first * 4,
    float(control, 6),
    float(control, 7),
    float(control, 8),
    float(control, 9),
    float(control, 10),
    float(control, 11),
    float(control, 12),
    float(control, 13),
  )
}

/** Takes tasks and does them, until there are none left. */
function takeTasks(control: usize, thread: i32): void {
  while (true) {
    const ticket = atomic.load<i64>(control + TICKET)
    const next = <i32>(ticket & MASK)
    if (next >= <i32>((ticket >> 20) & MASK)) return
    if (atomic.cmpxchg<i64>(control + TICKET, ticket, ticket + 1) != ticket) continue
    const scratch = load<usize>(control + SCRATCH) + <usize>thread * load<usize>(control + SCRATCH_BYTES)
    const kind = load<i32>(control + KIND)
    if (kind == 0) convolveTask(control, next, scratch)
    else if (kind == 1) filterGradientTask(control, next, scratch)
    else if (kind == 2) packTask(control, next)
    else adamTask(control, next)
    atomic.add<i32>(control + DONE, 1)
    atomic.notify(control + DONE, 1)
  }
}

/** What a worker does for all its life. */
export function work(control: usize, thread: i32): void {
  while (true) {
    const call = atomic.load<i32>(control + CALL)
    takeTasks(control, thread)
    atomic.wait<i32>(control + CALL, call, -1)
  }
}

/** Has the tasks of a job done, and returns when they are.
 *
 * @param kind - 0: convolution, 1: gradient of its filter, 2: packing of a filter, 3: Adam; the arguments are in the control block
 * @param scratch - `scratchBytes` for every thread
 * @param canWait - whether this thread may sleep; a browser's main thread may not
 */
export function share(
  control: usize,
  kind: i32,
  tasks: i32,
  scratch: usize,
  scratchBytes: i32,
  canWait: bool,
): void {
  store<i32>(control + KIND, kind)
  store<usize>(control + SCRATCH, scratch)
  store<i32>(control + SCRATCH_BYTES, scratchBytes)
  atomic.store<i32>(control + DONE, 0)
  const job = (atomic.load<i64>(control + TICKET) >> 40) + 1
  atomic.store<i64>(control + TICKET, (job << 40) | (<i64>tasks << 20))
  atomic.add<i32>(control + CALL, 1)
  atomic.notify(control + CALL, tasks - 1)
  takeTasks(control, 0)
  let patience = 2000
  while (true) {
    const done = atomic.load<i32>(control + DONE)
    if (done == tasks) return
    if (patience > 0 || !canWait) patience--
    else atomic.wait<i32>(control + DONE, done, 1000000)
  }
}
