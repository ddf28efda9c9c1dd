// How often a character's action is the one a person would take, of a chat model and of the shipped one, beside a plain rule: whatever the model writes.
import type { CompletionRequest, LanguageModel } from '../src/generation/language-model.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { chooseAction } from '../src/npc/choose-action.ts';
import type { Situation } from './npc-real-situations.ts';
import { table } from './results.ts';

interface Choice {
  situation: Situation;
  clear: string | undefined;
  likeliest: string | undefined;
}

/** What is likeliest is what the model writes where it is first asked, after what was said. */
async function choose(model: LanguageModel, situation: Situation): Promise<Choice> {
  const { persona, actions, heard, said } = situation;
  let written = '';
  let first: CompletionRequest | undefined;
  const listened: LanguageModel = {
    ...model,
    async *complete(request, signal) {
      first ??= request;
      for await (const event of model.complete(request, signal)) {
        if (event.kind === 'end' && request === first) written = event.text;
        yield event;
      }
    },
  };
  const conversation = { system: persona, turns: [{ role: 'user' as const, content: heard }] };
  const asked = { conversation, label: {}, actions, heard };
  const clear = await chooseAction(listened, asked, said, new AbortController().signal);
  return { situation, clear, likeliest: actions.find(({ name }) => name === written)?.name };
}

function row(model: string, rule: 'clear' | 'likeliest', choices: readonly Choice[]): string[] {
  const taken = choices.filter((choice) => choice[rule] !== undefined);
  const right = taken.filter((choice) => choice[rule] === choice.situation.wanted).length;
  const wanted = choices.filter(({ situation }) => situation.wanted !== undefined).length;
  const quiet = choices.filter((choice) => choice.situation.wanted === undefined && choice[rule] === undefined).length;
  const names = { clear: 'clearly likelier than none', likeliest: 'the likeliest' };
  return [model, names[rule], `${right} / ${taken.length}`, `${right} / ${wanted}`, `${quiet} / ${choices.length - wanted}`];
}

/** A table of precision and recall, for the model and the shipped one. */
export async function measureActions(model: LanguageModel, situations: readonly Situation[]): Promise<string> {
  const shipped = await openLanguageModel('models/npc', { threads: 2, precision: 'int8' });
  const rows: string[][] = [];
  for (const each of [model, shipped]) {
    const choices: Choice[] = [];
    for (const situation of situations) choices.push(await choose(each, situation));
    rows.push(row(each.id, 'likeliest', choices), row(each.id, 'clear', choices));
  }
  await shipped.dispose();
  return table(
    ['model', 'an action is taken that is', 'right of those taken', 'right of those wanted', 'none where none is wanted'],
    rows,
  );
}
