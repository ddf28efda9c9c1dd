// Does the shipped model listen, and does it remember who it is? models/measure/grounding.ts asks it.
import { measureListening, measureRecall, measureSaid } from '../models/measure/grounding.ts';
import { models } from '../models/recipes.ts';
import { readConfig } from '../src/config.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { recordSection, table } from './results.ts';

/** Measures the steered model and writes its tables. */
export async function run(): Promise<void> {
  const folder = `models/${models.steered}`;
  const { replies, right, wrong } = await measureListening(folder, 400);
  const rows = [[models.steered, replies, right.toFixed(3), wrong.toFixed(3), (wrong - right).toFixed(3)]];
  const head = ['model', 'replies', 'after its own line', 'after another line', 'gain of listening'];
  const model = await openLanguageModel(folder, { threads: 2, precision: readConfig({}).engine.precision });
  const said = await measureSaid(model, 200);
  await model.dispose();
  const share = (figure: number) => `${(100 * figure).toFixed(0)} %`;
  const recalled = (await measureRecall(folder, 200)).map(({ fact, personas, right, wrong, likelier }) => [
    fact,
    personas,
    share(said.get(fact)!),
    right.toFixed(1),
    wrong.toFixed(1),
    share(likelier),
  ]);
  const asked = ['asked for', 'personas', 'said', 'as the system turn states it', 'as another does', 'its own is likelier'];
  const recall = `What the system turn states, held-out personas: whether the reply says it, drawn as served; and nats of a plain reply that does, beside one that says another's.\n\n${table(asked, recalled)}`;
  await recordSection('grounding', `Held-out first replies, nats per token.\n\n${table(head, rows)}\n\n${recall}`);
}
