// The thread in which chat templates are rendered: each is a program of a stranger, so its time and memory are bounded from outside.
import { parentPort, workerData } from 'node:worker_threads';
import { Template } from '@huggingface/jinja';
import type { Rendered, RenderOrder } from './chat-template.ts';

const { source } = workerData as { source: string };

/** Read with the first order, so that a template that cannot be read is refused as one that cannot be rendered. */
let template: Template | undefined;

function answer({ id, variables, mostLetters }: RenderOrder): Rendered {
  try {
    template ??= new Template(source);
    const text = template.render({ ...variables, strftime_now: (format: string) => timeText(new Date(), format) });
    if (text.length > mostLetters) return { id, failure: `it writes ${text.length} characters, more than ${mostLetters}` };
    return { id, text };
  } catch (error) {
    return { id, failure: (error as Error).message };
  }
}

const english = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-US', options);
const twoDigits = (value: number) => String(value).padStart(2, '0');

/** Python's strftime in the C locale, as far as templates use it; what else stands there stays. */
function timeText(now: Date, format: string): string {
  const parts: Record<string, () => string> = {
    d: () => twoDigits(now.getDate()),
    m: () => twoDigits(now.getMonth() + 1),
    Y: () => String(now.getFullYear()),
    y: () => twoDigits(now.getFullYear() % 100),
    H: () => twoDigits(now.getHours()),
    M: () => twoDigits(now.getMinutes()),
    S: () => twoDigits(now.getSeconds()),
    b: () => english({ month: 'short' }).format(now),
    B: () => english({ month: 'long' }).format(now),
    a: () => english({ weekday: 'short' }).format(now),
    A: () => english({ weekday: 'long' }).format(now),
    '%': () => '%',
  };
  return format.replace(/%(.)/g, (whole, letter: string) => (Object.hasOwn(parts, letter) ? parts[letter]!() : whole));
}

parentPort!.on('message', (order: RenderOrder) => parentPort!.postMessage(answer(order)));
