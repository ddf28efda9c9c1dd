// Records as schemas, whose keys are names from outside.
import { z } from 'zod';

/** As z.record, which drops the key `__proto__` without a word: here it is refused by name. */
export function recordOf<Key extends z.core.$ZodRecordKey, Value extends z.ZodType>(key: Key, value: Value) {
  return z.preprocess(
    (given, context) => {
      if (typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__')) {
        context.addIssue({ code: 'custom', path: ['__proto__'], message: 'cannot be a name; choose another' });
      }
      return given;
    },
    z.record(key, value),
  );
}
