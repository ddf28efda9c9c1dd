// A game on the pulled model: sixteen sessions whose character has a long persona, a line each every five seconds; and one player alone.
import { exclusive } from '../exclusive.ts';
import { applyLoad } from '../load.ts';
import { chatBody, chatPath, promptTokens } from '../load-prompts.ts';
import { lines, openSessions, periodS, play, type Scene } from '../npc-load.ts';
import { median, percentile, table } from '../results.ts';
import type { Serving } from '../serving.ts';
import type { RealModel } from './model.ts';
import type { Extent } from './parts.ts';
import { withServing } from './served.ts';

/** About 600 tokens, as a card of a real game has. */
const persona = `You are Marta, the innkeeper of the Gilded Goose in Fallowmere. Mood: cheerful. You answer in one or two short sentences and never leave your role.
You took over the inn from your aunt Hilda eleven years ago, after the great flood. It has six rooms upstairs, a taproom with nine tables, and a cellar that floods every spring. A bed costs two silver coins a night, breakfast is one copper more, and nobody sleeps for free, not even the mayor.
Your ale is brewed by Otto at the mill, who waters it when he thinks you do not notice. The stew is mutton on market days and turnips on all others. On feast days you bake honey cakes after your aunt's recipe, which you tell nobody.
The market is north of the bridge, the smithy of Brom stands beside the well, and the temple of the two moons is at the end of the lane, past the old oak. The harbour is half a day's walk to the south, and the road there is safe only by daylight, since wolves were heard in the forest this winter.
You like travellers with stories, children who say thank you, and your grey cat Pepper, who sleeps on the account book. You dislike brawls, loud bards who do not pay, and tax collectors. Once you threw a drunken knight into the horse trough, and the village still talks of it.
Your brother Jan went to the war in the east three years ago and has not written since the autumn. You ask every soldier about him, but you do not like to speak of it with strangers. Your neighbour Elsbeth says that he lives and has a farm beyond the mountains; you do not believe her, though you wish you could.
Rumours you have heard lately: a merchant lost a red box on the north road and offers ten gold coins for it; lights were seen in the ruined tower; the miller's daughter will marry in May; the mayor wants to sell the common meadow, and the farmers are angry. You do not know anything about magic, the capital, or the king's affairs, and you say so when you are asked.
You keep a short sword under the counter that was your father's. You have never used it, but you polish it every Sunday. When somebody is violent you call for Brom, who is strong and lives near.
In the evening you light the lamps yourself and sit down for a while with the guests. You like riddles and lose at cards. If somebody asks for work, you need a boy for the stable and somebody who mends the roof before winter; you pay with meals and three coppers a day. Guests who are ill get soup and the warm room behind the kitchen.`;

const character = { name: 'Marta', persona };

/** ms until the first token of a chat under the persona, which has been read before. */
async function firstToken(serving: Serving, name: string): Promise<{ ms: number; tokens: number }> {
  const messages = (content: string) => [
    { role: 'system' as const, content: persona },
    { role: 'user' as const, content },
  ];
  const tokens = await promptTokens(serving, name, messages('Hello'));
  const body = (i: number) => chatBody(name, { messages: messages(lines[i % lines.length]!), outputTokens: 8 });
  const { samples } = await applyLoad({ endpoint: serving, path: chatPath, requests: lines.length, streams: 1, seed: 1, body });
  return { ms: median(samples.map(({ ttftMs }) => ttftMs)), tokens };
}

export async function charactersPart(model: RealModel, { quick }: Extent): Promise<string> {
  const seconds = quick ? 15 : 60;
  return withServing(model, undefined, (serving, name) =>
    exclusive(async () => {
      const token = await firstToken(serving, name);
      const scenes: Scene[] = [];
      for (const count of [1, 16]) {
        scenes.push(await play(serving, await openSessions(serving, [character], count), seconds, 0));
        for (const failure of new Set(scenes.at(-1)!.failures)) process.stdout.write(`${failure}\n`);
      }
      const intro = `One character with a persona of ${token.tokens} prompt tokens, read before; a line a session every ${periodS} s for ${seconds} s, each session with its own history; in ${model.precision}, the embedded database. First token: a chat under the same persona, ${lines.length} lines one after the other; a character's line comes by sentences.`;
      const rows = scenes.map((scene) => sceneRow(scene, token.ms));
      const head = [
        'sessions',
        'lines',
        'failed',
        'first sentence ms, p50 / p95',
        'line ms, p50 / p95',
        'tokens a line',
        'first token ms',
      ];
      const reach = 'To reach: first sentence p95 of sixteen 1,500 ms at most; first token of one alone 150 ms at most.';
      return `${intro}\n\n${table(head, rows)}\n\n${reach}`;
    }),
  );
}

function sceneRow({ sessions, told, failures }: Scene, tokenMs: number): string[] {
  const both = (values: number[]) => `${percentile(values, 50).toFixed(0)} / ${percentile(values, 95).toFixed(0)}`;
  return [
    `${sessions}`,
    `${told.length}`,
    `${failures.length + told.filter(({ fallback }) => fallback).length}`,
    both(told.map(({ firstMs }) => firstMs)),
    both(told.map(({ lineMs }) => lineMs)),
    percentile(
      told.map(({ tokens }) => tokens),
      50,
    ).toFixed(0),
    sessions === 1 ? tokenMs.toFixed(0) : '–',
  ];
}
