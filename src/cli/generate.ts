// steer generate: one reply on the terminal, as it is written.
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { SteerError } from '../errors.ts';
import type { LanguageModel, Phase } from '../generation/language-model.ts';
import { toBranches } from '../generation/steered-prompt.ts';
import { engineOptions, openLanguage } from '../registry/open.ts';
import { applyAttributes, type RequestedAttributes } from '../steerlm/attributes.ts';
import { layOutPrompt, type Piece } from '../steerlm/prompt-layout.ts';
import type { Execution } from '../tensor/providers.ts';
import { findModelFolder } from './model-folders.ts';
import { attributeLevel, between, collect, whole } from './option-values.ts';
import { note, type Surroundings } from './surroundings.ts';

interface GenerateOptions {
  model?: string;
  attribute: RequestedAttributes;
  system: string;
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  strength: number;
  stop: string[];
  seed?: number;
}

/** What holds where an option is left out. */
const elseOwn = (otherwise: string) => ` (default: what generation_config.json of the model says, or ${otherwise})`;

/** The command. */
export function generateCommand(surroundings: Surroundings): Command {
  return new Command('generate')
    .summary('write one reply on the terminal')
    .description(
      'Writes the reply of a steered model, or the continuation of a text by a base model. Without a prompt, standard input is read.',
    )
    .argument('[prompt...]', 'what the user says')
    .option('--model <model>', 'a name in MODELS_DIR or a path (default: the model serve would take)')
    .option('--attribute <name=level>', 'attribute of the reply, as humor=4, or humor=open; may be repeated', attributeLevel, {})
    .option('--system <text>', 'system text', '')
    .option('--strength <x>', 'how far the reply is pushed towards its attributes; 1 is the plain prompt', between(0, 5), 1)
    .option('--max-tokens <n>', 'most tokens of the reply (default: what the context holds)', whole(1))
    .option('--temperature <x>', `0 picks the likeliest token${elseOwn('0.8')}`, between(0, 2))
    .option('--top-p <share>', `sample from the likeliest tokens that hold this share${elseOwn('1')}`, between(0, 1))
    .option('--top-k <n>', `sample from the n likeliest tokens; 0 means all${elseOwn('0')}`, whole(0))
    .option('--stop <text>', 'text that ends the reply; may be repeated', collect, [])
    .option('--seed <n>', 'the same seed gives the same reply', whole(0))
    .addHelpText('after', '\nExample:\n  steer generate --attribute humor=4 --attribute verbosity=1 "What news from the road?"')
    .action((words: string[], options: GenerateOptions) => generate(surroundings, words.join(' '), options));
}

async function generate({ config, signal }: Surroundings, given: string, options: GenerateOptions): Promise<void> {
  const folder = await findModelFolder(config(), options.model, ['language']);
  const prompt = given === '' ? await text(addAbortSignal(signal, process.stdin)) : given;
  const onExecution = ({ provider, reason }: Execution) => provider === 'cpu' || note(reason);
  const { executionProvider: provider, upstreamApiKey: apiKey } = config();
  const model = await openLanguage(folder, { ...engineOptions, provider, onExecution }, { apiKey, onFault: note });
  try {
    const { maxTokens = model.contextLength, stop } = options;
    const { sampling = {} } = model;
    const seed = (options.seed ?? Math.floor(Math.random() * 2 ** 31)) >>> 0;
    const request = {
      prompt: model.encode(piecesOf(model, prompt, options)),
      maxTokens,
      temperature: options.temperature ?? sampling.temperature ?? 0.8,
      topP: options.topP ?? sampling.topP ?? 1,
      topK: options.topK ?? sampling.topK ?? 0,
      minP: sampling.minP,
      repetitionPenalty: sampling.repetitionPenalty,
      frequencyPenalty: sampling.frequencyPenalty,
      stop,
      seed,
      n: 1,
    };
    const phases = phasesOf(model, prompt, options);
    for await (const event of model.complete({ ...request, phases }, signal)) {
      process.stdout.write(event.kind === 'delta' ? event.text : '\n');
    }
  } finally {
    await model.dispose();
  }
}

/** A base model has no label to be pushed towards. */
function phasesOf(model: LanguageModel, prompt: string, { attribute, system, strength }: GenerateOptions): Phase[] | undefined {
  if (model.schema.attributes.length === 0) return undefined;
  const conversation = { system, turns: [{ role: 'user' as const, content: prompt }] };
  const label = applyAttributes(model.schema, attribute);
  return [{ branches: toBranches(model, conversation, label, { strength, against: 'null' }) }];
}

function piecesOf({ id, schema }: LanguageModel, prompt: string, { attribute, system }: GenerateOptions): Piece[] {
  if (schema.attributes.length > 0) {
    const conversation = { system, turns: [{ role: 'user' as const, content: prompt }] };
    return layOutPrompt(schema, conversation, applyAttributes(schema, attribute));
  }
  if (Object.keys(attribute).length > 0 || system !== '') {
    throw new SteerError(
      'invalid_request',
      `${id} is a base model: it continues text and follows neither attributes nor a system text.`,
    );
  }
  return [{ text: prompt, trained: false }];
}
