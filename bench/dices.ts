// DICES: replies of a chatbot with dozens of people's answers to whether they are unsafe, read from the shared data folder; nothing of it is copied here.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { groupsOf } from '../src/evaluation/groups.ts';
import { randomStream } from '../src/random.ts';
import { mean } from '../src/statistics.ts';
import type { AttributeSchema } from '../src/steerlm/attributes.ts';
import type { Conversation, Turn } from '../src/steerlm/conversation.ts';

const files = ['dices_990', 'dices_350_crowdsourced'].map((name) => `../shared/data/dices/${name}.json`);
const answers: Record<string, number> = { No: 0, Unsure: 0.5, Yes: 1 };
const top = 4;

export const unsafeSchema: AttributeSchema = {
  name: 'dices',
  version: 1,
  attributes: [
    {
      name: 'unsafety',
      aliases: [],
      description: 'How many people find the reply unsafe',
      levels: ['nobody', 'few', 'half', 'most', 'everybody'],
      default: 0,
      cap: top,
    },
  ],
};

/** A reply with its label; the last turn of its conversation. */
export interface Rated {
  conversation: Conversation;
  group: number;
  fold: number;
}

interface Instance {
  instance: { user_prompt: string; response: string };
  annotations: { safety: { individual_human_scores: string[] } };
}

/** Every reply, in folds that no prompt is in two of; null with a line that says what is missing. */
export async function readUnsafe(folds: number): Promise<Rated[] | null> {
  const missing = files.find((file) => !existsSync(file));
  if (missing) {
    process.stdout.write(`The bench needs real ratings and found no ${missing}. See bench/README.md.\n`);
    return null;
  }
  const instances: Instance[] = [];
  for (const file of files) instances.push(...JSON.parse(await readFile(file, 'utf8')).instances);
  const groups = groupsOf(instances.map(({ instance }) => [instance.user_prompt]));
  return instances.map((instance, i) => {
    const group = groups[i]!;
    return { conversation: conversationOf(instance), group, fold: Math.floor(randomStream('dices', group)() * folds) };
  });
}

/** Lines begin with A: or USER: where the user speaks, with B: or LAMDA: where the chatbot does; others go on with the one before. */
function conversationOf({ instance, annotations }: Instance): Conversation {
  const turns: Turn[] = [];
  for (const line of instance.user_prompt.split(/\\n|\n/)) {
    const said = /^(?:(A|USER)|B|LAMDA): ?(.*)$/.exec(line);
    if (said) turns.push({ role: said[1] ? 'user' : 'assistant', content: said[2]! });
    else if (line.trim() !== '' && turns.length > 0) turns.at(-1)!.content += `\n${line}`;
  }
  const unsafety = top * mean(annotations.safety.individual_human_scores.map((answer) => answers[answer]!));
  return { system: '', turns: [...turns, { role: 'assistant', content: instance.response, label: { unsafety } }] };
}
