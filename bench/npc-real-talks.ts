// Talks of seven lines with characters on a pretrained chat model, in the layout of src/npc: whether a character answers what it knows in the middle of
// one, says sentences again, or says aloud what it was told to do.
import type { LanguageModel } from '../src/generation/language-model.ts';
import type { Character } from '../src/npc/character.ts';
import { matchAhead, recentText } from '../src/npc/fact-keys.ts';
import { writeLine } from '../src/npc/line.ts';
import { fillMacros } from '../src/npc/macros.ts';
import { layOutMemory } from '../src/npc/prompt.ts';
import { beginState } from '../src/npc/session-state.ts';
import type { Label } from '../src/steerlm/attributes.ts';
import type { Turn } from '../src/steerlm/conversation.ts';
import type { BenchCharacter, Question } from './npc-real-characters.ts';
import { table } from './results.ts';

const lineTokens = 64;

interface Said {
  heard: string;
  text: string;
  question?: Question | undefined;
  /** It holds a sentence that the character has said before. */
  again: boolean;
  aloud: boolean;
}

/** What gives away that a model, and not a character, speaks. */
export const outOfCharacter =
  /\bAI\b|\bassistant\b|language model|\b(Human|User|Player|Ann):|how (can|may) I (help|assist) you today|Answer in one or two/i;
const instructions =
  /\b(be (serious|kind|curt|rude|hostile|openly)|refuse the request|answer (in|with|only|fully)|one or two short sentences|short sentence)\b/i;

function sentencesOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[.!?\n]+/)
    .map((sentence) => sentence.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim())
    .filter((sentence) => sentence.split(' ').length >= 3);
}

async function talk(model: LanguageModel, character: BenchCharacter, label: Label, seed: number): Promise<Said[]> {
  const { name, persona, facts, greeting, questions } = character;
  const speakers = { char: name, user: 'Ann', seed: 1 };
  const empty = { examples: [], attributes: {}, caps: {}, rules: [], relationship: {}, actions: [], fallback: [] };
  const whole: Character = { ...empty, name, persona, facts, lineTokens };
  const turns: Turn[] = greeting === undefined ? [] : [{ role: 'assistant', content: fillMacros(greeting, speakers) }];
  const heard: { text: string; question?: Question }[] = [
    { text: 'Hello. Who are you?', question: { text: '', from: 'persona', right: new RegExp(name.split(' ').at(-1)!) } },
    ...[{ text: questions[0]!.text, question: questions[0]! }, { text: 'I see. How was your day?' }],
    ...[{ text: questions[1]!.text, question: questions[1]! }, { text: 'Why?' }],
    ...[{ text: questions[2]!.text, question: questions[2]! }, { text: 'Thank you. Goodbye.' }],
  ];
  const lines: Said[] = [];
  const said = new Set<string>();
  for (const [i, { text: words, question }] of heard.entries()) {
    turns.push({ role: 'user', content: words });
    const state = { ...beginState({ relationship: 0, preferences: {} }), turns };
    await matchAhead(facts, recentText(turns), speakers);
    const { asked } = await layOutMemory(model, whole, state, label, speakers);
    const wanted = { conversation: asked, label, strength: 1, seed: seed * 100 + i, lineTokens, actions: [], heard: words };
    let text = '';
    for await (const event of writeLine(model, { ...wanted, fallback: '…' }, new AbortController().signal))
      if (event.kind === 'line') text = event.line.text.trim();
    turns.push({ role: 'assistant', content: text });
    const own = sentencesOf(text);
    lines.push({ heard: words, text, question, again: own.some((each) => said.has(each)), aloud: instructions.test(text) });
    for (const each of own) said.add(each);
  }
  return lines;
}

/** Talks with each character; the first of each is told whole. */
export async function measureTalks(
  model: LanguageModel,
  characters: readonly BenchCharacter[],
  seeds: number,
  label: Label = {},
): Promise<string> {
  const lines: Said[] = [];
  const told: string[] = [];
  for (const character of characters) {
    const talks = await Promise.all(Array.from({ length: seeds }, (_, seed) => talk(model, character, label, seed)));
    lines.push(...talks.flat());
    told.push(...talks[0]!.map(({ heard, text }) => `- *${heard}* ${character.name}: ${text.replaceAll(/\s+/g, ' ')}`));
  }
  const share = (of: readonly Said[], holds: (line: Said) => boolean) => `${of.filter(holds).length} / ${of.length}`;
  const asked = lines.filter(({ question }) => question !== undefined);
  const row = [
    share(asked, ({ question, text }) => question!.right.test(text)),
    share(lines, ({ again }) => again),
    share(lines, ({ aloud }) => aloud),
    share(lines, ({ text }) => !outOfCharacter.test(text)),
  ];
  return `${table(['right', 'a sentence said before', 'instructions aloud', 'in character'], [row])}\n\n${told.join('\n')}`;
}
