// The command line: puts the commands together, turns interrupts into one signal, and tells failures in one line. Nothing here ends the process while
// there is work: leaving while an engine is inside a run would abort it, so everything is closed first.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { interruptedStatus, note, type Surroundings } from './cli/surroundings.ts';
import { readConfig } from './config.ts';
import { SteerError } from './errors.ts';

/** Each with its own imports: loading them all takes longer than most of them run. */
const commands: Record<string, () => Promise<(around: Surroundings) => Command>> = {
  serve: async () => (await import('./cli/serve.ts')).serveCommand,
  work: async () => (await import('./cli/work.ts')).workCommand,
  pull: async () => (await import('./cli/pull.ts')).pullCommand,
  models: async () => (await import('./cli/models.ts')).modelsCommand,
  remove: async () => (await import('./cli/remove.ts')).removeCommand,
  vector: async () => (await import('./cli/vector.ts')).vectorCommand,
  generate: async () => (await import('./cli/generate.ts')).generateCommand,
  score: async () => (await import('./cli/score.ts')).scoreCommand,
  import: async () => (await import('./cli/import.ts')).importCommand,
  export: async () => (await import('./cli/export.ts')).exportCommand,
  'export-model': async () => (await import('./cli/export-model.ts')).exportModelCommand,
  datasets: async () => (await import('./cli/datasets.ts')).datasetsCommand,
  pretrain: async () => (await import('./cli/pretrain.ts')).pretrainCommand,
  'train-predictor': async () => (await import('./cli/train-predictor.ts')).trainPredictorCommand,
  label: async () => (await import('./cli/label.ts')).labelCommand,
  finetune: async () => (await import('./cli/finetune.ts')).finetuneCommand,
  evaluate: async () => (await import('./cli/evaluate.ts')).evaluateCommand,
  migrate: async () => (await import('./cli/migrate.ts')).migrateCommand,
  openapi: async () => (await import('./cli/openapi.ts')).openapiCommand,
};

/** What follows the first interrupt so soon is the same one told again: `timeout` and npm tell a process and then its whole group. */
const sameInterruptMs = 1_000;

const surroundings: Surroundings = { config: () => readConfig(), signal: listenForInterrupts() };

try {
  await (await program(surroundings, process.argv[2])).parseAsync();
} catch (error) {
  tellFailure(error);
}

/** With the command asked for alone, or with all of them where help or a misspelt name needs them. */
async function program(around: Surroundings, asked: string | undefined): Promise<Command> {
  const steer = new Command('steer')
    .version(readVersion(), '-v, --version', 'version of the program')
    .description('Trains, labels, fine-tunes and serves language models steered by attributes (SteerLM).')
    .showSuggestionAfterError(true)
    .addHelpText('after', '\nExample:\n  steer serve\n  steer help finetune');
  const known = asked !== undefined && Object.hasOwn(commands, asked) ? [asked] : Object.keys(commands);
  for (const name of known) steer.addCommand(tellingUnknown((await commands[name]!())(around)));
  return steer;
}

/** The command, and those inside it: one that lacks an option because it is misspelt tells of the misspelt one, not of the one that is missing. */
function tellingUnknown(command: Command): Command {
  const inner = command as Command & Record<'missingMandatoryOptionValue' | 'unknownOption', (told: unknown) => void>;
  const tellMissing = inner.missingMandatoryOptionValue.bind(command);
  inner.missingMandatoryOptionValue = (option) => {
    const unknown = command.args.find((arg) => /^-./.test(arg));
    if (unknown === undefined) tellMissing(option);
    else inner.unknownOption(unknown);
  };
  for (const each of command.commands) tellingUnknown(each);
  return command;
}

/** As the package says it, which lies above dist/src. */
function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The first interrupt asks for a clean stop; the second ends the process the way the signal would have. */
function listenForInterrupts(): AbortSignal {
  const interrupt = new AbortController();
  let askedMs = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (!interrupt.signal.aborted) {
        askedMs = performance.now();
        if (process.stderr.isTTY) note('\nStopping after the step in hand; interrupt again to leave at once.');
        return interrupt.abort();
      }
      if (performance.now() - askedMs < sameInterruptMs) return;
      process.removeAllListeners(name);
      process.kill(process.pid, name);
    });
  }
  // A closed terminal takes no more notes; what is in hand is finished and saved all the same.
  process.stderr.on('error', () => {});
  // Output that nobody reads any more, or that cannot be written, ends the work; a stream of ours that failed into it is told elsewhere.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    interrupt.abort();
    if (!(error instanceof SteerError)) tellFailure(error);
  });
  return interrupt.signal;
}

function tellFailure(error: unknown): void {
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  process.exitCode = 1;
  if (code === 'EPIPE') return;
  const stopped = name === 'AbortError' || (error instanceof SteerError && error.code === 'cancelled');
  const asked = stopped && surroundings.signal.aborted;
  if (stopped && !(error instanceof SteerError)) note('Stopped.');
  else note(asked ? message : `error: ${message}`);
  if (debugging()) note(String(stack));
  if (asked) process.exitCode = interruptedStatus;
}

function debugging(): boolean {
  try {
    return readConfig().logLevel === 'debug';
  } catch {
    // The settings themselves may be what failed.
    return false;
  }
}
