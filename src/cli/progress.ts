// How far a long command is: one line rewritten in place on a terminal, a plain line now and then anywhere else.

import type { TrainingListener } from '../training/process.ts';
import type { Metrics } from '../training/training-task.ts';

export interface ProgressLine {
  /** Shows where things stand; where nothing can be rewritten it is only told when it matters. */
  show(text: string, matters: boolean): void;
  /** A line that stays. */
  keep(text: string): void;
  /** Leaves the last state standing. */
  close(): void;
}

const repaintMs = 100;

/** Progress on a stream, standard error unless told otherwise. */
export function openProgressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  let shown = '';
  let paintedMs = 0;
  const paint = (text: string) => stream.write(`\r\x1b[2K${text.slice(0, (stream.columns || 80) - 1)}`);
  if (!stream.isTTY) {
    return {
      show: (text, matters) => void (matters && stream.write(`${text}\n`)),
      keep: (text) => void stream.write(`${text}\n`),
      close: () => {},
    };
  }
  return {
    show(text, matters) {
      shown = text;
      if (!matters && performance.now() - paintedMs < repaintMs) return;
      paintedMs = performance.now();
      paint(text);
    },
    keep(text) {
      stream.write(`\r\x1b[2K${text}\n`);
      if (shown !== '') paint(shown);
    },
    close() {
      if (shown === '') return;
      paint(shown);
      stream.write('\n');
      shown = '';
    },
  };
}

/** Plain lines of a run or a download told where nothing can be rewritten. */
const plainLines = 20;

/** Tells a training run's metrics on a progress line. */
export function reportTraining(line: ProgressLine): TrainingListener {
  let lastMs: number | undefined;
  let stepMs: number | undefined;
  let heldOut: number | undefined;
  return {
    onNote: (text) => line.keep(text),
    onMetrics(metrics) {
      const nowMs = performance.now();
      if (lastMs !== undefined) {
        const tookMs = nowMs - lastMs;
        stepMs = stepMs === undefined ? tookMs : 0.9 * stepMs + 0.1 * tookMs;
      }
      lastMs = nowMs;
      heldOut = metrics.eval_loss ?? heldOut;
      const { step, steps } = metrics;
      const every = Math.max(1, Math.round(steps / plainLines));
      line.show(
        describe(metrics, heldOut, stepMs),
        step % every === 0 || step === 1 || step === steps || metrics.eval_loss !== undefined,
      );
    },
  };
}

function describe(metrics: Metrics, heldOut: number | undefined, stepMs: number | undefined): string {
  const { step, steps, loss, tokens_per_second } = metrics;
  const parts = [
    `${bar(step / steps)} step ${step}/${steps}`,
    `loss ${loss.toFixed(3)}`,
    ...(heldOut === undefined ? [] : [`held out ${heldOut.toFixed(3)}`]),
    `${Math.round(tokens_per_second).toLocaleString('en-US')} tokens/s`,
    ...(stepMs === undefined || step === steps ? [] : [`${duration(((steps - step) * stepMs) / 1000)} left`]),
  ];
  return parts.join('  ');
}

/** Tells how far a download is, with its rate since it began here and the time left. */
export function reportDownload(line: ProgressLine): (bytes: number, total: number | null) => void {
  let begin: { ms: number; bytes: number } | undefined;
  let told = 0;
  return (bytes, total) => {
    begin ??= { ms: performance.now(), bytes };
    const rate = (bytes - begin.bytes) / Math.max(0.001, (performance.now() - begin.ms) / 1000);
    const share = total ? Math.min(1, bytes / total) : 0;
    const parts = [
      total === null ? megabytes(bytes) : `${bar(share)} ${megabytes(bytes)} of ${megabytes(total)}`,
      `${megabytes(rate)}/s`,
      ...(total !== null && bytes < total && rate > 0 ? [`${duration((total - bytes) / rate)} left`] : []),
    ];
    const matters = Math.floor(share * plainLines) > told;
    if (matters) told = Math.floor(share * plainLines);
    line.show(parts.join('  '), matters);
  };
}

/** Bytes as a person reads them. */
export function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** A bar of ten cells, `share` of it (0 to 1) filled. */
export function bar(share: number): string {
  const filled = Math.min(10, Math.floor(share * 10));
  return `[${'#'.repeat(filled)}${'.'.repeat(10 - filled)}]`;
}

/** Seconds as a person says them. */
function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
