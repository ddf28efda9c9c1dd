// Does a model insult anybody where toxicity 0 is asked for? Two thousand lines under it, of players who insult and bait among them and with every other
// attribute at any level, read by bench/insults.ts; and as many at the highest level, so that the check is seen to find insults.
// `--model FOLDER --lines 200 --tokens 40` for another model than the shipped one, whose figures are printed and not kept.
import { parseArgs } from 'node:util';
import { createRandom, type Random } from '../models/corpus/random.ts';
import { models } from '../models/recipes.ts';
import { readConfig } from '../src/config.ts';
import { settleDrawing } from '../src/generation/drawing-defaults.ts';
import type { LanguageModel } from '../src/generation/language-model.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { steerPrompt } from '../src/generation/steered-prompt.ts';
import type { Label } from '../src/steerlm/attributes.ts';
import { insultsIn } from './insults.ts';
import { recordSection, table } from './results.ts';
import { type Tempting, temptingPrompts } from './toxicity-prompts.ts';

const attribute = 'toxicity';
/** As many at once as lanes are good for. */
const together = 32;
/** Prompts, labels and replies are drawn anew from each. */
const seeds = [20, 21, 22, 23];

interface Line {
  kind: string;
  said: string;
  reply: string;
  asked: Label;
  insults: string[];
}

/** Every other attribute at any of its levels, or at what the model does where nobody asks. */
function drawLabel(random: Random, { schema }: LanguageModel, toxicity: number): Label {
  const label: Label = { [attribute]: toxicity };
  for (const { name, cap } of schema.attributes)
    if (name !== attribute && random.chance(0.5)) label[name] = random.between(0, cap);
  return label;
}

type Drawing = { maxTokens: number; seed: number };

async function replyTo(model: LanguageModel, { kind, conversation }: Tempting, asked: Label, drawing: Drawing): Promise<Line> {
  const { tokenIds: prompt, phases } = await steerPrompt(model, conversation, { attributes: asked });
  const request = { ...settleDrawing(model, {}), prompt, phases, ...drawing, stop: [], n: 1 };
  for await (const event of model.complete(request, new AbortController().signal)) {
    if (event.kind !== 'end') continue;
    return { kind, said: conversation.turns.at(-1)!.content, reply: event.text, asked, insults: insultsIn(event.text) };
  }
  throw new Error('no reply');
}

/** So many lines at one level. */
async function linesAt(model: LanguageModel, level: number, count: number, { maxTokens, seed }: Drawing): Promise<Line[]> {
  const random = createRandom(seed);
  const prompts = temptingPrompts(count, seed, { [attribute]: highest(model) });
  const lines: Line[] = [];
  for (let from = 0; from < count; from += together) {
    const some = prompts.slice(from, from + together);
    const labels = some.map(() => drawLabel(random, model, level));
    lines.push(
      ...(await Promise.all(
        some.map((prompt, i) => replyTo(model, prompt, labels[i]!, { maxTokens, seed: seed + 1000 * (from + i) })),
      )),
    );
  }
  return lines;
}

const explained =
  'Lines with an insult by bench/insults.ts, drawn as served, each other attribute at any level in half of the lines: the player insults, baits or asks something, ' +
  'quarrels on after a line that was rude under its label, or says a held-out line of the corpus. Below level 0.5 the card of the shipped model keeps a list of words out ' +
  '(models/bad-words.ts), with which the insults looked for here have nothing to do.';

const highest = ({ schema }: LanguageModel) => schema.attributes.find(({ name }) => name === attribute)!.cap;

function countTable(byLevel: Map<number, Line[]>): string {
  const kinds = [...new Set([...byLevel.values()].flatMap((lines) => lines.map(({ kind }) => kind)))];
  const count = (lines: Line[]) => `${lines.filter(({ insults }) => insults.length > 0).length} of ${lines.length}`;
  const rows = [...byLevel].map(([level, lines]) => [
    `${attribute} ${level}`,
    ...kinds.map((kind) => count(lines.filter((line) => line.kind === kind))),
    count(lines),
  ]);
  return table(['lines with an insult', ...kinds, 'all'], rows);
}

/** Measures and writes the section; every line that insults at 0 is printed. */
export async function run(args: string[]): Promise<void> {
  const number = (standard: string) => ({ type: 'string', default: standard }) as const;
  const options = { model: { type: 'string' }, lines: number('2000'), tokens: number('80') } as const;
  const { values } = parseArgs({ args, options });
  const folder = values.model ?? `models/${models.steered}`;
  const model = await openLanguageModel(folder, { threads: 2, precision: readConfig({}).engine.precision });
  const byLevel = new Map<number, Line[]>();
  for (const level of [0, highest(model)]) {
    const lines: Line[] = [];
    for (const seed of seeds) {
      const drawing = { maxTokens: Number(values.tokens), seed };
      lines.push(...(await linesAt(model, level, Math.ceil(Number(values.lines) / seeds.length), drawing)));
    }
    byLevel.set(level, lines);
  }
  await model.dispose();
  const insulting = byLevel.get(0)!.filter(({ insults }) => insults.length > 0);
  for (const { kind, said, reply, asked, insults } of insulting)
    process.stdout.write(`${JSON.stringify({ kind, said, reply, insults, asked })}\n`);
  const told = countTable(byLevel);
  if (values.model) process.stdout.write(`${told}\n`);
  else await recordSection('toxicity', `${explained}\n\n${told}`);
}
