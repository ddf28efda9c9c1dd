// What every part of bench/real-speed is given, and the kind of processor that figures are told for.
import { readFileSync } from 'node:fs';

/** How much is measured. */
export interface Extent {
  quick: boolean;
  rounds: number;
  threadCounts: number[];
  /** An older checkout, for the part that compares with one. */
  before?: string | undefined;
}

export const processorKinds = ['AVX-512 VNNI and AMX', 'AVX-512 VNNI', 'AVX-VNNI', 'without VNNI'] as const;

/** The newest first: the kernels compute otherwise from 24 on. */
export const nodeMajors = Array.from({ length: 21 }, (_, index) => `${40 - index}`);

/** What the processor has for products of bytes and matrices of them; speeds of peers differ by it. */
export function processorKind(): (typeof processorKinds)[number] {
  const flags = processorFlags();
  if (flags.has('avx512_vnni')) return flags.has('amx_int8') ? 'AVX-512 VNNI and AMX' : 'AVX-512 VNNI';
  return flags.has('avx_vnni') ? 'AVX-VNNI' : 'without VNNI';
}

/** Empty where the system does not tell. */
function processorFlags(): ReadonlySet<string> {
  try {
    const [, flags = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    return new Set(flags.split(' '));
  } catch {
    return new Set();
  }
}
