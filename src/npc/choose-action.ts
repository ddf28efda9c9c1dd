// What a character does with its line: one of the actions its author allows, or none. The model chooses by continuing the conversation, bound to
// the names of the actions, so nothing else can come of it. What counts is how much likelier the conversation makes an action than it is without one:
// a model has favourites among names (Zhao et al. 2021, "Calibrate Before Use").
import type { LanguageModel } from '../generation/language-model.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import type { Action } from './character.ts';
import { encodeUnlessTooLong } from './prompt.ts';

const nothing = 'none';

interface Situation {
  conversation: Conversation;
  label: Label;
  actions: readonly Action[];
  caller?: string | undefined;
}

/** The action's name; undefined where the character has none to choose from, does none, or the context has no room to ask. */
export async function chooseAction(
  model: LanguageModel,
  { conversation, label, actions, caller }: Situation,
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
  const bare = await encodeUnlessTooLong(model, { system: '', turns: [asked] }, {});
  // A token may be a single byte; with fewer of them a long name would give way to another.
  const most = Math.max(...choices.map((choice) => Buffer.byteLength(choice))) + 1;
  if (!prompt || !bare || prompt.length + most > model.contextLength) return undefined;
  const branches = [
    { prompt, weight: 2 },
    { prompt: bare, weight: -1 },
  ];
  const phases = model.mixes ? [{ branches }] : undefined;
  const wanted = { prompt, phases, maxTokens: most, temperature: 0, topP: 1, topK: 1, seed: 0, n: 1, stop: [], caller };
  for await (const event of model.complete({ ...wanted, constraint: { kind: 'choice', choices } }, signal)) {
    if (event.kind === 'end') return actions.find(({ name }) => name === event.text)?.name;
  }
  return undefined;
}
