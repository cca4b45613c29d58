// Loaded before a command: its clock jumps back by a day, 500 ms after its start.
const started = Date.now()
const RealDate = Date
const now = () => {
  const time = RealDate.now()
  return time - started > 500 ? time - 86_400_000 : time
}
globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(now())
    else super(...values)
  }
  static now() {
    return now()
  }
}
