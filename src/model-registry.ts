// The models of a folder: each sub-folder with a config.json is one, loaded the first time it is asked for and once however many ask.
// A broken one is told of and passed over. Knows no HTTP and no command line.
import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { openPredictor } from './attributes/open-predictor.ts';
import type { Predictor } from './attributes/predictor.ts';
import { headShapes } from './attributes/predictor-graph.ts';
import { SteerError } from './errors.ts';
import type { LanguageModel } from './generation/language-model.ts';
import { openLanguageModel } from './generation/steered-model.ts';
import { findPredictorFor, type ModelCard, type ModelKind, type Models } from './http/served-models.ts';
import { exists } from './llama/json-file.ts';
import { readModelCard, readShape } from './llama/model-folder.ts';
import { openWeights } from './llama/weights.ts';
import type { AttributeSchema } from './steerlm.ts';

interface Entry {
  card: ModelCard;
  folder: string;
  steered: boolean;
}

export interface RegistryOptions {
  /** Told of each sub-folder that looks like a model and is none. */
  onBroken(folder: string, reason: string): void;
}

const noAttributes: AttributeSchema = { name: 'none', version: 0, attributes: [] };
/** Calls in hand above which a model refuses further ones. */
const maxCalls = 64;

/** Threads of one run of a model: every core. */
export const engineOptions = { threads: availableParallelism(), maxCalls };

export class ModelRegistry implements Models {
  readonly #entries: Entry[];
  readonly #loaded = new Map<string, Promise<LanguageModel | Predictor>>();
  #ready = false;
  #disposed = false;

  private constructor(entries: Entry[]) {
    this.#entries = entries;
  }

  /**
   * Looks through the sub-folders of `modelsDir`; loads nothing. The language model named `default` is the one in the sub-folder that the file
   * `<modelsDir>/default` names, else the first steered one. Throws invalid_model when there is no such folder.
   */
  static async open(modelsDir: string, { onBroken }: RegistryOptions): Promise<ModelRegistry> {
    const entries: Entry[] = [];
    for (const folder of await modelFolders(modelsDir)) {
      try {
        entries.push(await readEntry(folder));
      } catch (error) {
        if (!(error instanceof SteerError)) throw error;
        onBroken(folder, error.message);
      }
    }
    const distinct = withoutTwins(entries, onBroken);
    return new ModelRegistry(markDefault(distinct, await chosenDefault(modelsDir)));
  }

  list(): ModelCard[] {
    return this.#entries.map(({ card }) => card);
  }

  /** Folder of the model of that id. Throws model_not_found. */
  folderOf(id: string): string {
    return this.#entry(id).folder;
  }

  language(id: string): Promise<LanguageModel> {
    return this.#load(id, 'language', (folder) => openLanguageModel(folder, engineOptions));
  }

  predictor(id: string): Promise<Predictor> {
    return this.#load(id, 'predictor', (folder) => openPredictor(folder, engineOptions));
  }

  ready(): boolean {
    return this.#ready;
  }

  /** Loads the default language model and the predictor of its attributes. Throws invalid_model when there is no model or it does not load. */
  async warmUp(): Promise<void> {
    const language = this.#entries.find(({ card }) => card.kind === 'language')?.card;
    const predictor = language
      ? language.schema.attributes.length > 0 && findPredictorFor(this, language.schema)
      : this.#entries[0]?.card;
    if (!language && !predictor) {
      throw new SteerError('invalid_model', 'There is no model to serve. Train one, or set MODELS_DIR to a folder of models.');
    }
    await Promise.all([language && this.language(language.id), predictor && this.predictor(predictor.id)]);
    this.#ready = true;
  }

  /** Unloads everything, after the step each model has in hand. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#ready = false;
    const models = await Promise.allSettled(this.#loaded.values());
    await Promise.all(models.map((model) => model.status === 'fulfilled' && model.value.dispose()));
  }

  #entry(id: string): Entry {
    const found = this.#entries.find(({ card }) => card.id === id);
    if (found) return found;
    throw new SteerError('model_not_found', `No model is named ${JSON.stringify(id.slice(0, 128))}.`);
  }

  #load<Model extends LanguageModel | Predictor>(
    id: string,
    kind: ModelKind,
    open: (folder: string) => Promise<Model>,
  ): Promise<Model> {
    if (this.#disposed) return Promise.reject(new SteerError('not_ready', 'The server is shutting down.'));
    const { folder, card } = this.#entry(id);
    if (card.kind !== kind) {
      return Promise.reject(new SteerError('model_not_found', `${id} is a ${card.kind} model, not a ${kind} model.`));
    }
    const loading = this.#loaded.get(id) ?? open(folder);
    this.#loaded.set(id, loading);
    // What did not load may be repaired and asked for again.
    loading.catch(() => this.#loaded.delete(id));
    return loading as Promise<Model>;
  }
}

async function modelFolders(modelsDir: string): Promise<string[]> {
  const entries = await readdir(modelsDir, { withFileTypes: true }).catch((cause) => {
    const message = `Cannot read the models folder ${modelsDir} (${cause.code}). Set MODELS_DIR to a folder of models.`;
    throw new SteerError('invalid_model', message, { cause });
  });
  const folders: string[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())) {
    if (await exists(join(modelsDir, name, 'config.json'))) folders.push(join(modelsDir, name));
  }
  return folders.sort();
}

async function readEntry(folder: string): Promise<Entry> {
  const card = await readModelCard(folder);
  const shape = await readShape(folder);
  const { kind, attributeSchema } = card;
  // Reads the heads of the weight files only; that is where a broken download shows.
  const weights = await openWeights(
    folder,
    shape,
    kind === 'predictor' && attributeSchema ? headShapes(attributeSchema, shape) : undefined,
  );
  await weights.close();
  const made = card.createdAt ? Date.parse(card.createdAt) : (await stat(join(folder, 'config.json'))).mtimeMs;
  return {
    folder,
    steered: kind === 'steered',
    card: {
      id: card.name,
      kind: kind === 'predictor' ? 'predictor' : 'language',
      created: Math.floor(made / 1000),
      aliases: basename(folder) === card.name ? [] : [basename(folder)],
      schema: attributeSchema ?? noAttributes,
      contextLength: shape.contextLength,
    },
  };
}

/** One model a name: of several the one whose folder is called so, else the first; the others are told of. */
function withoutTwins(entries: Entry[], onBroken: RegistryOptions['onBroken']): Entry[] {
  const homes = new Map<string, Entry>();
  const atHome = ({ card, folder }: Entry) => basename(folder) === card.id;
  for (const entry of entries.toSorted((a, b) => Number(atHome(b)) - Number(atHome(a)))) {
    const twin = homes.get(entry.card.id);
    if (twin) onBroken(entry.folder, `Its name ${entry.card.id} is that of ${twin.folder} already.`);
    else homes.set(entry.card.id, entry);
  }
  return entries.filter((entry) => homes.get(entry.card.id) === entry);
}

/** First line of `<modelsDir>/default`; null without that file. */
async function chosenDefault(modelsDir: string): Promise<string | null> {
  const text = await readFile(join(modelsDir, 'default'), 'utf8').catch(() => null);
  return text?.split('\n')[0]?.trim() ?? null;
}

/** Language models first, the default before all others, steered ones before bases; the order within is that of the folders. */
function markDefault(entries: Entry[], chosen: string | null): Entry[] {
  const rank = ({ card, folder, steered }: Entry): number => {
    if (card.kind === 'predictor') return 3;
    if (chosen !== null && (basename(folder) === chosen || card.id === chosen)) return 0;
    return steered ? 1 : 2;
  };
  const ordered = entries.toSorted((a, b) => rank(a) - rank(b));
  const first = ordered[0]?.card;
  if (first?.kind === 'language') first.aliases.push('default');
  return ordered;
}
