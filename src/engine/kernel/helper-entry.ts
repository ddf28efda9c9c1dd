// Entry of a thread that helps to work through lists of kernel calls until its crew is dissolved.
import { workerData } from 'node:worker_threads';
import type { HelperData } from './crew.ts';

const { module, memory, thread } = workerData as HelperData;
const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
(exports.help as (thread: number) => void)(thread);
