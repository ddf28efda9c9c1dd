// steer generate: one reply on the terminal, as it is written.
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { readKey } from '../config.ts';
import { SteerError } from '../errors.ts';
import { settleDrawing } from '../generation/drawing-defaults.ts';
import type { CompletionEvent, LanguageModel } from '../generation/language-model.ts';
import { rawPrompt, steerPrompt } from '../generation/steered-prompt.ts';
import type { VectorWeights } from '../generation/vector-weights.ts';
import { counted } from '../number-text.ts';
import { engineOptions, openLanguage } from '../registry/open.ts';
import { findAttribute, maxLevel, type RequestedAttributes } from '../steerlm/attributes.ts';
import type { Execution } from '../tensor/providers.ts';
import { findModelFolder } from './model-folders.ts';
import { attributeLevel, between, collect, vectorWeight, whole } from './option-values.ts';
import { note, type Surroundings } from './surroundings.ts';

interface GenerateOptions {
  model?: string;
  attribute: RequestedAttributes;
  vector: VectorWeights;
  system: string;
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  strength: number;
  stop: string[];
  seed?: number;
}

/** Where neither option nor model says. */
const defaultTemperature = 0.8;
/** A model that never ends would fill a context of many thousands. */
const defaultMaxTokens = 1024;

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
    .option('--vector <name=weight>', 'steering vector of the reply, as happy=0.8; may be repeated', vectorWeight, {})
    .option('--system <text>', 'system text', '')
    .option('--strength <x>', 'how far the reply is pushed towards its attributes; 1 is the plain prompt', between(0, 5), 1)
    .option('--max-tokens <n>', `most tokens of the reply (default: ${defaultMaxTokens}, or what the context holds)`, whole(1))
    .option('--temperature <x>', `0 picks the likeliest token${elseOwn(`${defaultTemperature}`)}`, between(0, 2))
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
  const { executionProvider: provider, upstreamApiKey: apiKey, engine } = config();
  const { precision, packed } = engine;
  const model = await openLanguage(
    folder,
    { ...engineOptions, precision, packed, provider, onExecution, onNote: note },
    { apiKey, keyOf: readKey, onFault: note },
  );
  try {
    const { maxTokens = defaultMaxTokens, stop, topP, topK } = options;
    const seed = (options.seed ?? Math.floor(Math.random() * 2 ** 31)) >>> 0;
    const temperature = options.temperature ?? model.sampling?.temperature ?? defaultTemperature;
    const { tokenIds, phases, raw } = await promptOf(model, prompt, options);
    const request = {
      prompt: tokenIds,
      phases,
      raw,
      maxTokens,
      ...settleDrawing(model, { temperature, topP, topK }),
      stop,
      seed,
      n: 1,
    };
    for await (const event of model.complete(request, signal)) {
      if (event.kind === 'delta' && event.reasoning) process.stderr.write(event.reasoning);
      process.stdout.write(event.kind === 'delta' ? event.text : '\n');
      if (event.kind === 'end') for (const line of describeEnd(model, event)) note(line);
    }
  } finally {
    await model.dispose();
  }
}

/** What the text by itself does not say. */
function* describeEnd(
  { id, schema }: LanguageModel,
  { text, finishReason, completionTokens }: CompletionEvent & { kind: 'end' },
) {
  const base = schema.attributes.length === 0 ? ` ${id} is a base model: begin a text that it can continue.` : '';
  if (text === '') yield `The reply is empty: the model ended it at once.${base}`;
  else if (finishReason === 'length')
    yield `The reply was cut at ${counted(completionTokens, 'token')}; --max-tokens allows more.`;
}

/** A base model continues the text; it has no label to be pushed towards. */
async function promptOf(model: LanguageModel, prompt: string, { attribute, vector, system, strength }: GenerateOptions) {
  if (model.chat !== null) {
    checkLevels(model, attribute);
    const conversation = { system, turns: [{ role: 'user' as const, content: prompt }] };
    return { ...(await steerPrompt(model, conversation, { attributes: attribute, vectors: vector, strength })), raw: false };
  }
  if (Object.keys({ ...attribute, ...vector }).length > 0 || system !== '') {
    throw new SteerError(
      'invalid_request',
      `${model.id} is a base model: it continues text, under no steering vectors, and follows neither attributes nor a system text.`,
    );
  }
  return { tokenIds: rawPrompt(model, prompt), phases: undefined, raw: true };
}

/** Throws attribute_out_of_range with the option and the scale. */
function checkLevels({ schema }: LanguageModel, asked: RequestedAttributes): void {
  for (const [name, level] of Object.entries(asked)) {
    const attribute = findAttribute(schema, name);
    const most = maxLevel(attribute);
    if (level === null || level <= most) continue;
    throw new SteerError(
      'attribute_out_of_range',
      `--attribute ${name}=${level}: expected a level from 0 to ${most}: ${attribute.levels.join(', ')}.`,
    );
  }
}
