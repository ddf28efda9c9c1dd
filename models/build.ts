// npm run models:build: makes everything under models/ from the corpus beside this file: base model, steered model, predictor, and measures what
// fewer bits cost the last.
// Takes up where it stopped: each run keeps its checkpoints under data/runs until its model is written.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { openProgressLine, reportTraining } from '../src/cli/progress.ts';
import { finetune } from '../src/finetuning/finetune.ts';
import type { PretrainingSpec } from '../src/finetuning/training-spec.ts';
import { groundFile } from '../src/model/ground.ts';
import { readEndTokens, readModelCard, writeModelCard } from '../src/model/model-folder.ts';
import { writeSampling } from '../src/model/sampling-defaults.ts';
import { trainPredictor } from '../src/predictor/train.ts';
import { gameCharacters } from '../src/steerlm/schemas.ts';
import { badWords } from './bad-words.ts';
import { corpusFiles, exchangeFiles } from './corpus-files.ts';
import { makeGround } from './ground.ts';
import { measurePrecisions, notePrecisions } from './measure/precision.ts';
import { description, drawn, dropout, models, recipes } from './recipes.ts';

/** Models that others go on from and that are not kept: one that only ever saw short exchanges, and the steered one after its first round. */
const copying = 'data/runs/npc-copies/model';
const first = 'data/runs/npc-exchanges/model';
const halfway = 'data/runs/npc-steered/model';
const size = {
  ...{ vocabSize: 2048, hiddenSize: 192, intermediateSize: 512, layers: 4, heads: 6, kvHeads: 6, contextLength: 512 },
  inductionHeads: true,
};
type Run = keyof typeof recipes;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

async function filesOf(run: Run) {
  const folder = `data/runs/npc-${run}`;
  return run === 'copies' || run === 'exchanges'
    ? await exchangeFiles(folder, recipes[run])
    : await corpusFiles(folder, recipes[run]);
}

type Files = Awaited<ReturnType<typeof filesOf>>;

/** Runs one training unless its model is there already; answers whether the build may go on. */
async function make(run: Run, out: string, train: (files: Files) => Promise<{ out: string | null }>): Promise<boolean> {
  if (existsSync(`${out}/steerlm.json`)) {
    process.stdout.write(`${out} is there; remove it to make it again\n`);
    return true;
  }
  const finished = (await train(await filesOf(run))).out !== null;
  if (!finished) process.stdout.write('Stopped; the same command continues from the last checkpoint.\n');
  return finished;
}

const base = `models/${models.base}`;
const watch = () => reportTraining(openProgressLine());
const pretrain = (run: Run, name: string, out: string, start: PretrainingSpec['start']) =>
  make(run, out, (files) =>
    finetune({ ...files, name, out, method: 'pretrain', repliesOnly: true, start }, watch(), stop.signal),
  );

async function makePredictor(): Promise<boolean> {
  const [name, out] = [models.predictor, `models/${models.predictor}`];
  return make('predictor', out, (files) =>
    trainPredictor(
      { ...files, name, out, base, schema: gameCharacters, readingTokens: recipes.predictor.T },
      watch(),
      stop.signal,
    ),
  );
}

const steer = (run: Run, name: string, from: string, out: string) =>
  make(run, out, (files) =>
    finetune({ ...files, name, out, method: 'steered', base: from, schema: gameCharacters, dropout }, watch(), stop.signal),
  );

/** Of the models behind it the base is there to compare with, the first round is not. */
async function nameBase(folder: string): Promise<void> {
  const card = await readModelCard(folder);
  await writeModelCard(folder, { ...card, baseModel: (await readModelCard(halfway)).baseModel });
}

async function makeSteered(out: string): Promise<boolean> {
  const finished =
    (await steer('steered', 'npc-steered', base, halfway)) && (await steer('settled', models.steered, halfway, out));
  if (finished) await nameBase(out);
  return finished;
}

async function describe(folder: string): Promise<void> {
  const card = await readModelCard(folder);
  const kept = card.name === models.steered ? { badWords } : {};
  await writeModelCard(folder, { ...card, ...kept, description });
}

const steered = `models/${models.steered}`;
const made =
  (existsSync(base) ||
    ((await pretrain('copies', 'npc-copies', copying, { create: size })) &&
      (await pretrain('exchanges', 'npc-exchanges', first, { continue: copying })))) &&
  (await pretrain('base', models.base, base, { continue: first })) &&
  (existsSync(steered) || (await makeSteered(steered))) &&
  (await makePredictor());
if (made) {
  if (!existsSync(`models/${models.predictor}/${groundFile}`)) await makeGround(`models/${models.predictor}`);
  for (const name of Object.values(models)) await describe(`models/${name}`);
  await writeFile('models/default', `${models.steered}\n`);
  const [turn] = await readEndTokens(steered);
  await writeSampling(steered, drawn, turn);
  const { measured } = await readModelCard(steered);
  if (!measured?.precision) await notePrecisions(await measurePrecisions());
}
