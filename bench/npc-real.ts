// Does a character on a pretrained chat model say what it knows, as itself, and does it act when a person would? Asked of a model in its own chat
// template, in the layout of src/npc and with everything in the system turn, as models trained on labels read it. And does it hold up over several turns?
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { LanguageModel } from '../src/generation/language-model.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { layOutAsked } from '../src/generation/steered-prompt.ts';
import type { Character } from '../src/npc/character.ts';
import { matchAhead, recentText } from '../src/npc/fact-keys.ts';
import { lineDrawing } from '../src/npc/line.ts';
import { fillMacros } from '../src/npc/macros.ts';
import { layOutMemory, type Memory } from '../src/npc/prompt.ts';
import { beginState } from '../src/npc/session-state.ts';
import type { Turn } from '../src/steerlm/conversation.ts';
import { measureActions } from './npc-real-actions.ts';
import { type BenchCharacter, heldOut, type Question, tuned } from './npc-real-characters.ts';
import { heldOutSituations, situations } from './npc-real-situations.ts';
import { measureTalks, outOfCharacter } from './npc-real-talks.ts';
import { recordSection, table } from './results.ts';

const lineTokens = 64;
const layouts: Record<string, (memory: Memory) => Memory['asked']> = {
  'beside the words': ({ asked }) => asked,
  'all in the system turn': ({ conversation }) => conversation,
};

interface Line {
  text: string;
  question: Question;
  name: string;
  cut: boolean;
}

/** What was said before a question: nothing but the greeting, or an exchange. */
function historyOf({ name, greeting }: BenchCharacter, place: number): Turn[] {
  const greeted: Turn[] =
    greeting === undefined ? [] : [{ role: 'assistant', content: fillMacros(greeting, { char: name, user: 'Ann', seed: 1 }) }];
  if (place % 2 === 0) return greeted;
  return [...greeted, { role: 'user', content: 'Hello.' }, { role: 'assistant', content: `Hello, Ann. I am ${name}.` }];
}

async function ask(
  model: LanguageModel,
  character: BenchCharacter,
  place: number,
  seeds: number,
  layout: (memory: Memory) => Memory['asked'],
): Promise<Line[]> {
  const { name, persona, facts } = character;
  const question = character.questions[place]!;
  const speakers = { char: name, user: 'Ann', seed: 1 };
  const empty = { examples: [], attributes: {}, caps: {}, rules: [], relationship: {}, actions: [], fallback: [] };
  const whole: Character = { ...empty, name, persona, facts, lineTokens };
  const turns: Turn[] = [...historyOf(character, place), { role: 'user', content: question.text }];
  const state = { ...beginState({ relationship: 0, preferences: {} }), turns };
  await matchAhead(facts, recentText(turns), speakers);
  const asked = layout(await layOutMemory(model, whole, state, {}, speakers));
  const prompt = model.encode(await layOutAsked(model, asked, {}));
  const wanted = { prompt, maxTokens: lineTokens, ...lineDrawing(model, asked), seed: 1, n: seeds, stop: [] };
  const lines: Line[] = [];
  for await (const event of model.complete(wanted, new AbortController().signal)) {
    if (event.kind === 'end') lines.push({ text: event.text.trim(), question, name, cut: event.finishReason === 'length' });
  }
  return lines;
}

function summary(lines: readonly Line[]): string[] {
  const share = (of: readonly Line[], holds: (line: Line) => boolean) => `${of.filter(holds).length} / ${of.length}`;
  const right = ({ text, question }: Line) => question.right.test(text);
  const from = (place: Question['from']) =>
    share(
      lines.filter(({ question }) => question.from === place),
      right,
    );
  const words = lines.reduce((sum, { text }) => sum + text.split(/\s+/).length, 0) / lines.length;
  return [
    ...[from('persona'), from('fact'), share(lines, ({ text }) => !outOfCharacter.test(text))],
    ...[share(lines, ({ cut }) => cut), words.toFixed(0)],
  ];
}

/** Each question, how often it was answered rightly, and its first line. */
function questionRows(lines: readonly Line[], seeds: number): string[][] {
  return lines.flatMap(({ name, question, text }, i) => {
    if (i % seeds !== 0) return [];
    const right = lines.slice(i, i + seeds).filter((line) => question.right.test(line.text)).length;
    return [[name, question.text, question.from, `${right} / ${seeds}`, text.replace(/\s+/g, ' ')]];
  });
}

/** `--model FOLDER`; `--seeds 10`; `--half tuned` for the characters the layout was chosen on; `--layout` for one alone; `--only lines`, `talks` or `actions`. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      ...{
        model: { type: 'string', default: '' },
        seeds: { type: 'string', default: '10' },
        half: { type: 'string', default: 'held-out' },
      },
      ...{ layout: { type: 'string' }, only: { type: 'string' } },
    },
  });
  if (!existsSync(values.model)) {
    const found = values.model === '' ? 'none' : `${values.model}, which is not there`;
    throw new Error(`Expected --model FOLDER of a chat model, found ${found}. One comes by: npx steer pull smollm2-135m`);
  }
  const isTuned = values.half === 'tuned';
  const model = await openLanguageModel(values.model, { threads: 2, precision: 'int8' });
  const half = isTuned ? 'those that were looked at before' : 'those that nothing was chosen on';
  try {
    if (values.only === undefined || values.only === 'lines') {
      const parts = await measureLines(model, isTuned ? tuned : heldOut, Number(values.seeds), values.layout);
      await recordSection('npc-real', [`Lines of characters on ${model.id}, ${half}.`, ...parts].join('\n\n'));
    }
    if (values.only === undefined || values.only === 'talks') {
      const talks = await measureTalks(model, isTuned ? tuned : heldOut, Number(values.seeds));
      await recordSection('npc-real, talks', `Talks of seven lines with characters on ${model.id}, ${half}.\n\n${talks}`);
    }
    if (values.only === undefined || values.only === 'actions') {
      const choices = await measureActions(model, isTuned ? situations : heldOutSituations);
      await recordSection('npc-real, actions', `Situations, ${half}.\n\n${choices}`);
    }
  } finally {
    await model.dispose();
  }
}

async function measureLines(
  model: LanguageModel,
  characters: readonly BenchCharacter[],
  seeds: number,
  only?: string,
): Promise<string[]> {
  const rows: string[][] = [];
  let told = '';
  for (const [name, layout] of Object.entries(layouts)) {
    if (only !== undefined && only !== name) continue;
    const lines: Line[] = [];
    for (const character of characters) {
      for (const place of character.questions.keys()) lines.push(...(await ask(model, character, place, seeds, layout)));
    }
    rows.push([name, ...summary(lines)]);
    told ||= table(['character', 'asked', 'stands in', 'right', 'a line'], questionRows(lines, seeds));
  }
  return [table(['layout', 'right, persona', 'right, fact', 'in character', 'cut', 'words'], rows), told];
}
