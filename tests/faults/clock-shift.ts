// Preloaded (`node --import`) into one process: its time of day is off by FAULT_CLOCK_SHIFT_MS, as on a machine whose clock was
// set wrongly. Timers and the monotonic clock run as ever.
const shiftMs = Number(process.env['FAULT_CLOCK_SHIFT_MS'] ?? 0)
const RealDate = Date

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + shiftMs] : args, newTarget),
  apply: () => new RealDate(RealDate.now() + shiftMs).toString(),
  get: (target, name) => (name === 'now' ? () => RealDate.now() + shiftMs : Reflect.get(target, name)),
})
