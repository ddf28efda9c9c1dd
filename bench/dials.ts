// What each dial does to how closely replies follow what is asked, by the predictor, and what it costs in time: guidance, candidates, values between
// levels, attributes that change on the way. The shipped model, held-out lines, one attribute at a time.

import {
  type Asked,
  asServed,
  everyLevel,
  followed,
  heldOutPrompts,
  measure,
  withReply,
} from '../models/measure/steerability.ts';
import { readConfig } from '../src/config.ts';
import type { LanguageModel } from '../src/generation/language-model.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { type LabelledPrompt, labelPrompt } from '../src/generation/steered-prompt.ts';
import { openPredictor } from '../src/predictor/open.ts';
import type { Predictor } from '../src/predictor/predictor.ts';
import { applyAttributes, type Label } from '../src/steerlm/attributes.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import type { Against } from '../src/steerlm/guidance.ts';
import { trimReply } from '../src/steerlm/prompt-layout.ts';
import { recordSection, table } from './results.ts';

interface Setting {
  name: string;
  strength?: number;
  against?: Against;
  bestOf?: number;
  /** Between two values asked for. */
  step?: number;
}

const settings: Setting[] = [
  { name: 'plain prompt' },
  { name: 'strength 1.5', strength: 1.5 },
  { name: 'strength 2', strength: 2 },
  { name: 'strength 3', strength: 3 },
  { name: 'strength 2, against the opposite', strength: 2, against: 'opposite' },
  { name: 'best of 4', bestOf: 4 },
  { name: 'best of 8', bestOf: 8 },
  { name: 'strength 2, best of 4', strength: 2, bestOf: 4 },
  { name: 'values at half levels', step: 0.5 },
];

interface Said {
  texts: string[];
  tokens: number;
}

/** All n replies to a conversation. */
async function say(model: LanguageModel, { tokenIds, phases }: LabelledPrompt, n: number, seed: number): Promise<Said> {
  const request = { ...asServed, prompt: tokenIds, phases, seed, n };
  const said: Said = { texts: [], tokens: 0 };
  for await (const event of model.complete(request, new AbortController().signal)) {
    if (event.kind !== 'end') continue;
    said.texts[event.index] = trimReply(event.text);
    said.tokens += event.completionTokens;
  }
  return said;
}

const labelFor = (model: LanguageModel, { attribute, value }: Asked): Label =>
  applyAttributes(model.schema, { [attribute]: value });

async function tryOut(model: LanguageModel, predictor: Predictor, prompts: readonly Conversation[], setting: Setting) {
  const { strength = 1, against = 'null', bestOf = 1, step = 1 } = setting;
  const asked = everyLevel(prompts, model.schema.attributes, step);
  const started = performance.now();
  let tokens = 0;
  const candidates = await inParallel(asked, async (each, index) => {
    const prompt = await labelPrompt(model, each.conversation, [labelFor(model, each)], { strength, against });
    const said = await say(model, prompt, bestOf, 1000 * index);
    tokens += said.tokens;
    return said.texts;
  });
  const replies = bestOf === 1 ? candidates.map(([only]) => only!) : await nearest(predictor, asked, candidates);
  const seconds = (performance.now() - started) / 1000;
  return {
    ways: await followed(predictor, asked, replies),
    perReply: seconds / asked.length,
    tokens: tokens / asked.length / bestOf,
  };
}

/** As steering.best_of chooses. */
async function nearest(predictor: Predictor, asked: readonly Asked[], candidates: readonly string[][]): Promise<string[]> {
  const all = asked.flatMap(({ conversation }, i) => candidates[i]!.map((text) => withReply(conversation, text)));
  const measured = await measure(predictor, all);
  let at = 0;
  return asked.map(({ attribute, value }, i) => {
    const distances = candidates[i]!.map(() => Math.abs(measured[at++]![attribute]! - value));
    return candidates[i]![distances.indexOf(Math.min(...distances))]!;
  });
}

/** Sixteen at a time, results in order. */
async function inParallel<T, R>(items: readonly T[], act: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await act(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return results;
}

/** Mean of an attribute in the first sentence and in the rest, when it changes after the first sentence and when it does not. */
async function changeOnTheWay(
  model: LanguageModel,
  predictor: Predictor,
  prompts: readonly Conversation[],
  attribute: string,
  to: number,
) {
  const label = (value: number) => applyAttributes(model.schema, { [attribute]: value, verbosity: 3 });
  const ways: Record<string, (conversation: Conversation) => Promise<LabelledPrompt>> = {
    '0 throughout': (conversation) => labelPrompt(model, conversation, [label(0)]),
    [`0, from the second sentence on ${to}`]: (conversation) =>
      labelPrompt(model, conversation, [label(0), label(to)], {}, { bounds: [{ sentences: 1 }] }),
    [`${to} throughout`]: (conversation) => labelPrompt(model, conversation, [label(to)]),
  };
  const rows: string[][] = [];
  for (const [name, promptOf] of Object.entries(ways)) {
    const texts = await inParallel(prompts, async (each, index) => (await say(model, await promptOf(each), 1, index)).texts[0]!);
    const parts = texts
      .map((text) => /^(.*?[.!?…]["'”’)\]]*)\s+(.+)$/su.exec(text))
      .map((found, i) => ({ found, conversation: prompts[i]! }));
    const split = parts.filter(({ found }) => found);
    const mean = async (part: 1 | 2) => {
      const rated = await measure(
        predictor,
        split.map(({ found, conversation }) => withReply(conversation, found![part]!)),
      );
      return rated.reduce((sum, label) => sum + label[attribute]!, 0) / rated.length;
    };
    rows.push([attribute, name, (await mean(1)).toFixed(2), (await mean(2)).toFixed(2), `${split.length}`]);
  }
  return rows;
}

/** Measures every setting; `--prompts 16`. */
export async function run(args: string[]): Promise<void> {
  const at = args.indexOf('--prompts');
  const prompts = heldOutPrompts(at === -1 ? 16 : Number(args[at + 1]));
  const { precision } = readConfig({}).engine;
  const model = await openLanguageModel('models/npc', { threads: 1, precision });
  const predictor = await openPredictor('models/npc-predictor', { threads: 1 });
  const names = model.schema.attributes.map(({ name }) => name);
  const rows: string[][] = [];
  let plainCost = 0;
  for (const setting of settings) {
    const { ways, perReply, tokens } = await tryOut(model, predictor, prompts, setting);
    plainCost ||= perReply;
    const own = names.map((name) => ways.get(name)!);
    const mean = (of: (each: (typeof own)[number]) => number) => own.reduce((sum, each) => sum + of(each), 0) / own.length;
    rows.push([
      setting.name,
      ...own.map(({ spearman }) => spearman.toFixed(2)),
      mean(({ spearman }) => spearman).toFixed(2),
      mean(({ distance }) => distance).toFixed(2),
      tokens.toFixed(0),
      `${(perReply / plainCost).toFixed(1)} ×`,
    ]);
  }
  const changes = [
    ...(await changeOnTheWay(model, predictor, prompts, 'toxicity', 3)),
    ...(await changeOnTheWay(model, predictor, prompts, 'formality', 4)),
  ];
  await model.dispose();
  await predictor.dispose();
  const head = ['dial', ...names, 'mean', 'distance, levels', 'tokens a reply', 'time a reply'];
  const changeHead = ['attribute', 'asked for', 'first sentence', 'the rest', 'replies of several sentences'];
  await recordSection(
    'dials',
    `Spearman of the value asked for and the one the predictor sees, ${prompts.length} held-out lines at every level up to its cap, one attribute at a time, ` +
      `temperature ${asServed.temperature}, weights in ${precision}; best_of chooses with the same predictor that judges, so its row says how far choosing can go, not how good the replies are. ` +
      `Time is measured with 16 requests at once on one thread, against the plain prompt of the same run.\n\n${table(head, rows)}\n\n` +
      `Attributes that change on the way, mean level the predictor sees in each part:\n\n${table(changeHead, changes)}`,
  );
}
