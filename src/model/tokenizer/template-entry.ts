// The thread in which chat templates are rendered: each is a program of a stranger, so its time and memory are bounded from outside.
import { parentPort, workerData } from 'node:worker_threads';
import { Template } from '@huggingface/jinja';
import type { Rendered, RenderOrder } from './template-process.ts';

const { source } = workerData as { source: string };

/** Letters that are told of a failure: a template may make it of anything. */
const mostFailure = 300;

/** Read with the first order, so that a template that cannot be read is refused as one that cannot be rendered. */
let template: Template | undefined;

function answer({ id, variables, mostLetters }: RenderOrder): Rendered {
  try {
    template ??= new Template(source);
    const text = template.render(variables);
    if (text.length > mostLetters) return { id, failure: `it writes ${text.length} characters, more than ${mostLetters}` };
    return { id, text };
  } catch (error) {
    return { id, failure: (error as Error).message.slice(0, mostFailure).replace(/\p{C}+/gu, ' ') };
  }
}

parentPort!.on('message', (order: RenderOrder) => parentPort!.postMessage(answer(order)));
parentPort!.postMessage('ready');
