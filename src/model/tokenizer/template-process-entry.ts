// Hands orders to the thread that renders, and ends with it or with whoever asked: an endless template must not outlive its server.
import { Worker } from 'node:worker_threads';
import { builtEntry } from '../../tensor/built-entry.ts';
import { mostMemoryMb } from './template-process.ts';

process.once('message', ({ source }: { source: string }) => {
  const worker = new Worker(builtEntry(import.meta.url, './template-entry.ts'), {
    workerData: { source },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: mostMemoryMb },
  });
  worker.on('message', (message) => process.send!(message)).once('error', () => process.exit(1));
  process.on('message', (order) => worker.postMessage(order));
});
process.once('disconnect', () => process.exit());
