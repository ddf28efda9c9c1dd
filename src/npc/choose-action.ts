// What a character does with its line: one of the actions its author allows, or none. The model chooses by continuing the conversation, bound to
// the names of the actions, so nothing else can come of it. What counts is how much likelier an action is after what was said than after a greeting: a
// model has favourites among names (Zhao et al. 2021, "Calibrate Before Use"). Small models are hardly better at it than chance, so that the player
// speaks in the words of an action counts too.
import type { CompletionRequest, LanguageModel, TokenLikelihood } from '../generation/language-model.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import type { Action } from './character.ts';
import { choiceScores, toldTokens } from './choice-scores.ts';
import { encodeUnlessTooLong } from './prompt.ts';
import { sharedWords } from './recall.ts';

const nothing = 'none';
/** Nats by which what was said is to make an action likelier, beside none, and how many the player's use of a word of it is worth (bench: npc-real). */
const clearNats = 3;
const wordNats = 4;
/** What is compared with: nothing happens in it. */
const greeting = 'Hello.';

interface Situation {
  conversation: Conversation;
  label: Label;
  actions: readonly Action[];
  /** What the player said last. */
  heard: string;
  caller?: string | undefined;
}

/**
 * The action's name; undefined where the character has none to choose from, none is made clearly likelier, or the context has no room to ask. Of a model
 * that another server runs its own choice is taken.
 */
export async function chooseAction(
  model: LanguageModel,
  { conversation, label, actions, heard, caller }: Situation,
  said: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (actions.length === 0) return undefined;
  const choices = [nothing, ...actions.map(({ name }) => name)];
  const listed = actions.map(({ name, when }) => (when === undefined ? name : `${name} (${when})`));
  const question = `What do you do? One of: ${[nothing, ...listed].join(', ')}.`;
  const asked = { role: 'user' as const, content: question };
  const turns: Turn[] = [...conversation.turns, { role: 'assistant', content: said, label }, asked];
  const prompt = await encodeUnlessTooLong(model, { system: conversation.system, turns }, {});
  const greeted: Turn[] = [{ role: 'user', content: greeting }, { role: 'assistant', content: greeting, label }, asked];
  const neutral = await encodeUnlessTooLong(model, { system: conversation.system, turns: greeted }, {});
  // A token may be a single byte; with fewer of them a long name would give way to another.
  const most = Math.max(...choices.map((choice) => Buffer.byteLength(choice))) + 1;
  if (!prompt || !neutral || Math.max(prompt.length, neutral.length) + most > model.contextLength) return undefined;
  const wanted = { maxTokens: most, temperature: 0, topP: 1, topK: 1, seed: 0, n: 1, stop: [], caller };
  // All it writes is a name, though its template may have left it amid reasoning.
  const bound = { ...wanted, raw: true, constraint: { kind: 'choice' as const, choices } };
  if (!model.mixes) {
    const { text } = await choose(model, { ...bound, prompt }, signal);
    return actions.find(({ name }) => name === text)?.name;
  }
  const scoresAfter = async (read: number[]): Promise<number[]> => {
    const { tokens } = await choose(model, { ...bound, prompt: read, topLogprobs: toldTokens }, signal);
    const [none, ...scores] = choiceScores(choices, tokens, model.bytesOf) as [number, ...number[]];
    return scores.map((score) => score - none);
  };
  const [now, before] = await Promise.all([scoresAfter(prompt), scoresAfter(neutral)]);
  return clearest(actions, (action, i) => now[i]! - before[i]! + (speaksOf(action, heard) ? wordNats : 0));
}

async function choose(model: LanguageModel, wanted: CompletionRequest, signal: AbortSignal) {
  const tokens: TokenLikelihood[] = [];
  let text = '';
  for await (const event of model.complete(wanted, signal)) {
    if (event.kind === 'end') text = event.text;
    else tokens.push(...(event.tokens ?? []));
  }
  return { text, tokens };
}

function clearest(actions: readonly Action[], evidenceFor: (action: Action, i: number) => number): string | undefined {
  const [best] = actions
    .map((action, i) => ({ name: action.name, evidence: evidenceFor(action, i) }))
    .toSorted((a, b) => b.evidence - a.evidence);
  return best && best.evidence > clearNats ? best.name : undefined;
}

/** Whether the player uses a word of the action, but for those that any condition may hold. */
function speaksOf({ name, when = '' }: Action, heard: string): boolean {
  const words = `${name.replace(/[_-]/g, ' ')} ${when}`.replace(/\b(player|somebody|someone|says?|asks?|wants?)\b/gi, '');
  return sharedWords(words, heard) > 0;
}
