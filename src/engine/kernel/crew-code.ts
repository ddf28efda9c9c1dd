// How several threads work through one list of records: each record's tasks are claimed one by one by whoever is free, and the next record begins
// when all are done. A thread that the system holds up delays nobody beyond the task it is in: the others claim the rest.
//
// Claims and counts of done tasks carry the number of their run, so that a thread that wakes up late finds that its run is over and claims nothing.
import { claimsAt, doneAt, recordBytes } from './record.ts';
import {
  type Code,
  call,
  callIndirect,
  type Definition,
  define,
  i32,
  i64,
  jump,
  jumpIf,
  type Local,
  leave,
  loop,
  notify,
  when,
} from './wasm.ts';

/** Where the threads meet: words at the beginning of the memory, each in a line of its own. */
export const meeting = { run: 64, sleeping: 128, over: 192, program: 256, records: 260 };
/** Looks at the number of the run before a thread goes to sleep: some 50 µs. */
const patience = 20_000;

/** work(program, records, run, thread): goes through the records of a run; returns when all are done, or the run is over. */
export function workCode(kernelType: number): Definition {
  return define('work', 4, (frame, program, records, run, thread) => {
    const [record, left, tasks] = frame.locals('i32', 3) as [Local, Local, Local];
    const [found, own] = frame.locals('i64', 2) as [Local, Local];
    const claim = i32.add(record.get, i32.const(claimsAt));
    const done = i32.add(record.get, i32.const(doneAt));
    const over = (value: Local) => i64.ne(i64.shrU(value.get, i64.const(32)), i64.extendU(run!.get));
    const task = i32.wrap(found.get);
    const claimed = i64.eq(i64.atomicExchangeIf(claim, found.get, i64.add(found.get, i64.const(1))), found.get);
    const compute = callIndirect(kernelType, i32.load(record.get), record.get, task, thread!.get);
    return [
      own.set(i64.shl(i64.extendU(run!.get), i64.const(32))),
      record.set(program!.get),
      frame.each(left, i32.const(0), records!.get, 1, [
        ...tasks.set(i32.load(record.get, 4)),
        ...loop(
          found.set(i64.atomicLoad(claim)),
          when(over(found), leave),
          when(i32.ltS(task, tasks.get), when(claimed, compute, i64.atomicAdd(done, i64.const(1)), drop), jump(1)),
        ),
        ...loop(
          found.set(i64.atomicLoad(done)),
          when(over(found), leave),
          jumpIf(i64.ne(found.get, i64.or(own.get, i64.extendU(tasks.get))), 0),
        ),
        ...record.set(i32.add(record.get, i32.const(recordBytes))),
      ]),
    ];
  });
}

const drop: Code = [0x1a];

/** alone(program, records): goes through the records with one thread. */
export function aloneCode(kernelType: number): Definition {
  return define('alone', 2, (frame, program, records) => {
    const [record, left, task] = frame.locals('i32', 3) as [Local, Local, Local];
    return [
      record.set(program!.get),
      frame.each(
        left,
        i32.const(0),
        records!.get,
        1,
        frame.each(
          task,
          i32.const(0),
          i32.load(record.get, 4),
          1,
          callIndirect(kernelType, i32.load(record.get), record.get, task.get, i32.const(0)),
        ),
        record.set(i32.add(record.get, i32.const(recordBytes))),
      ),
    ];
  });
}

/** help(thread): takes part in every run until it is over with the crew. */
export function helpCode(workIndex: number): Definition {
  return define('help', 1, (frame, thread) => {
    const [seen, run, looks] = frame.locals('i32', 3) as [Local, Local, Local];
    const place = i32.const(meeting.run);
    const sleeping = (by: number) => [...i32.atomicAdd(i32.const(meeting.sleeping), i32.const(by)), ...drop];
    return [
      seen.set(i32.const(0)),
      loop(
        looks.set(i32.const(0)),
        loop(
          run.set(i32.atomicLoad(place)),
          looks.set(i32.add(looks.get, i32.const(1))),
          jumpIf(i32.and(i32.eq(run.get, seen.get), i32.ltS(looks.get, i32.const(patience))), 0),
        ),
        when(i32.eq(run.get, seen.get), sleeping(1), i32.atomicWait(place, seen.get), sleeping(-1), jump(1)),
        when(i32.atomicLoad(i32.const(meeting.over)), leave),
        seen.set(run.get),
        call(workIndex, i32.load(i32.const(meeting.program)), i32.load(i32.const(meeting.records)), run.get, thread!.get),
        jump(0),
      ),
    ];
  });
}

/** wake(): those who sleep. */
export const wakeCode: Definition = define('wake', 0, () => [notify(i32.const(meeting.run), i32.const(0x7fffffff))]);
