// The models of a folder: each is loaded the first time it is asked for and once however many ask, and freed when it was unloaded or replaced and its
// last call has ended. Follows the folder and, with a database, the aliases people set.
import { basename } from 'node:path';
import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import type { Precision } from '../model/loaded-network.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { Db, Store } from '../store/connect.ts';
import { checkAlias, checkMeaning, readAliases, removeAlias, writeAlias } from './aliases.ts';
import { EngineSlot } from './engine-slot.ts';
import { holdEngine } from './held-models.ts';
import {
  findModel,
  findPredictorFor,
  type ModelCard,
  type ModelKind,
  type ModelReport,
  type ModelStatus,
  type Models,
} from './models.ts';
import { type OpenOptions, openModel, precisionFor } from './open.ts';
import { readReport } from './report.ts';
import { chosenDefaults, type Entry, inOrder, type ModelPlaces, type Scan, scanModels, withoutTwins } from './scan.ts';

export interface RegistryOptions extends OpenOptions, Pick<ModelPlaces, 'pulledDir'> {
  /** Told once of each sub-folder that looks like a model and is none. */
  onBroken(folder: string, reason: string): void;
  /** Where aliases are kept. With it the registry follows what other processes change: aliases at once, by notice, and the folder every second. */
  store?: Pick<Store, 'db' | 'listen'>;
}

/** Between two looks at what other processes changed; so an alias holds within a second also where its notice is lost. */
export const lookEveryMs = 900;

type Slot = EngineSlot<LanguageModel | Predictor>;

export class ModelRegistry implements Models {
  readonly #places: ModelPlaces;
  readonly #options: RegistryOptions;
  #scan: Scan = { entries: [], broken: [] };
  #entries: ReadonlyMap<string, Entry> = new Map();
  #aliases = new Map<string, string>();
  #chosen: string[] = [];
  readonly #told = new Set<string>();
  readonly #loads = new Map<string, { slot: Promise<Slot>; status: ModelStatus }>();
  readonly #failed = new Set<string>();
  /** Asked for with a load; the next one keeps to it. */
  readonly #precisions = new Map<string, Precision>();
  readonly #held = new WeakMap<Slot, LanguageModel | Predictor>();
  /** Unloaded or replaced, with calls in hand. */
  readonly #retiring = new Set<Slot>();
  #looking: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => void) | undefined;
  #ready = false;
  #disposed = false;

  private constructor(modelsDir: string, options: RegistryOptions) {
    this.#places = { modelsDir, pulledDir: options.pulledDir };
    this.#options = options;
  }

  /**
   * Looks through the sub-folders of `modelsDir` and of `pulledDir`; loads nothing. The language model named `default` is the one its alias names,
   * else the one that a file `default` in these folders names, else the first steered one. Throws invalid_model when there is no such folder.
   */
  static async open(modelsDir: string, options: RegistryOptions): Promise<ModelRegistry> {
    const registry = new ModelRegistry(modelsDir, options);
    await registry.refresh();
    if (options.store) registry.#watch();
    registry.#unlisten = options.store?.listen('steer_aliases', () => void registry.refresh().catch(() => {}));
    return registry;
  }

  list(): ModelCard[] {
    const taken = new Set(this.#aliases.keys());
    return [...this.#entries.values()].map((entry, place) => {
      const { folder, steered: _, stamp: __, ...told } = entry;
      const { id, kind } = told;
      const own = basename(folder) === id || taken.has(basename(folder)) ? [] : [basename(folder)];
      const given = [...this.#aliases].flatMap(([alias, model]) => (model === id && alias !== 'default' ? [alias] : []));
      const aliases = [...own, ...given, ...(place === 0 && kind === 'language' ? ['default'] : [])];
      return {
        ...told,
        aliases,
        status: this.#statusOf(id),
        precision: this.#precisionOf(id),
      };
    });
  }

  /** Folder of the model of that id. Throws model_not_found. */
  folderOf(id: string): string {
    return this.#entry(id).folder;
  }

  async language(id: string): Promise<LanguageModel> {
    return this.#hold(await this.#slot(id, 'language')) as LanguageModel;
  }

  async predictor(id: string): Promise<Predictor> {
    return this.#hold(await this.#slot(id, 'predictor')) as Predictor;
  }

  ready(): boolean {
    return this.#ready;
  }

  /** Loads the default language model and the predictor of its attributes. Throws invalid_model when there is no model or it does not load. */
  async warmUp(): Promise<void> {
    const [first] = this.#entries.values();
    try {
      await this.#loadDefaults();
    } catch (error) {
      await this.refresh();
      // What was to be loaded may have been replaced meanwhile by another process.
      if ([...this.#entries.values()][0]?.stamp === first?.stamp) throw error;
      await this.#loadDefaults();
    }
    this.#ready = true;
  }

  async #loadDefaults(): Promise<void> {
    const first = this.list()[0];
    const language = first?.kind === 'language' ? first : undefined;
    const predictor = language ? language.chat === 'labels' && findPredictorFor(this, language.schema) : first;
    if (!language && !predictor) {
      throw new SteerError('invalid_model', 'There is no model to serve. Pull or train one, or set MODELS_DIR to some.');
    }
    await Promise.all([language && this.load(language.id), predictor && this.load(predictor.id)]);
  }

  async load(id: string, precision = this.#precisionOf(id)): Promise<void> {
    const { kind } = this.#entry(id);
    if (kind === 'predictor' && precision !== 'fp32') {
      const message = `precision: ${id} is a predictor, which is always computed in fp32. Leave it out.`;
      throw new SteerError('invalid_request', message, { details: { param: 'precision' } });
    }
    if (kind === 'language' && precision !== this.#precisionOf(id)) {
      this.#precisions.set(id, precision);
      this.#retire(id);
    }
    await this.#slot(id, kind);
  }

  unload(id: string): void {
    this.#entry(id);
    this.#retire(id);
  }

  async report(id: string): Promise<ModelReport> {
    return await readReport(this.#entry(id).folder);
  }

  aliases(): Map<string, string> {
    return new Map(this.#aliases);
  }

  async setAlias(alias: string, name: string): Promise<ModelCard> {
    checkAlias(alias, [...this.#entries.keys()]);
    const card = findModel(this, name, ['language', 'predictor']);
    checkMeaning(alias, card);
    const db = this.#database();
    // So that the next caller does not wait for it, and no alias leads to what does not load.
    await this.load(card.id);
    await writeAlias(db, alias, card.id);
    await this.refresh();
    return findModel(this, card.id, [card.kind]);
  }

  async removeAlias(alias: string): Promise<void> {
    const removed = await removeAlias(this.#database(), alias);
    await this.refresh();
    if (!removed) throw new SteerError('not_found', `There is no alias ${JSON.stringify(alias.slice(0, 128))}.`);
  }

  /** Looks at folder and aliases again; a look that has begun already is not enough, one that waits is. */
  refresh(): Promise<void> {
    this.#nextLook ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#nextLook = undefined;
        this.#looking = this.#look();
        return this.#looking;
      });
    return this.#nextLook;
  }

  /** Unloads everything, after the step each model has in hand. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#ready = false;
    clearTimeout(this.#timer);
    this.#unlisten?.();
    await Promise.allSettled([this.#looking, this.#nextLook]);
    const loads = await Promise.allSettled([...this.#loads.values()].map(({ slot }) => slot));
    const slots = loads.flatMap((load) => (load.status === 'fulfilled' ? [load.value] : []));
    await Promise.all([...slots, ...this.#retiring].map((slot) => slot.cut()));
  }

  async #look(): Promise<void> {
    if (this.#disposed) return;
    const { store, onBroken } = this.#options;
    this.#scan = await scanModels(this.#places, this.#scan);
    const { entries, broken } = withoutTwins(this.#scan);
    this.#chosen = await chosenDefaults(this.#places);
    if (store) this.#aliases = await readAliases(store.db);
    const before = this.#entries;
    const ordered = inOrder(entries, this.#aliases.get('default'), this.#chosen);
    this.#entries = new Map(ordered.map((entry) => [entry.id, entry]));
    for (const { folder, stamp, reason } of broken) {
      if (!this.#told.has(`${folder} ${stamp}`)) onBroken(folder, reason);
      this.#told.add(`${folder} ${stamp}`);
    }
    for (const [id, { folder, stamp }] of before) {
      const now = this.#entries.get(id);
      if (now?.folder === folder && now.stamp === stamp) continue;
      this.#failed.delete(id);
      this.#retire(id);
    }
  }

  #watch(): void {
    const look = async () => {
      // What cannot be read now is read the next time; until then what is known holds.
      await this.refresh().catch(() => {});
      if (!this.#disposed) this.#watch();
    };
    this.#timer = setTimeout(() => void look(), lookEveryMs).unref();
  }

  #entry(id: string): Entry {
    const found = this.#entries.get(id);
    if (found) return found;
    throw new SteerError('model_not_found', `No model is named ${JSON.stringify(id.slice(0, 128))}.`, {
      details: { param: 'model' },
    });
  }

  #database(): Db {
    if (this.#options.store) return this.#options.store.db;
    throw new SteerError('database_unavailable', 'Aliases are kept in a database, and this process has none.');
  }

  #precisionOf(id: string): Precision {
    return precisionFor(this.#entry(id), this.#precisions.get(id) ?? this.#options.engine?.precision);
  }

  #statusOf(id: string): ModelStatus {
    return this.#loads.get(id)?.status ?? (this.#failed.has(id) ? 'failed' : 'unloaded');
  }

  async #slot(id: string, kind: ModelKind): Promise<Slot> {
    if (this.#disposed) throw new SteerError('not_ready', 'The server is shutting down.');
    const { folder, kind: found } = this.#entry(id);
    if (found !== kind) throw new SteerError('model_not_found', `${id} is a ${found} model, not a ${kind} model.`);
    const known = this.#loads.get(id);
    if (known) return await known.slot;
    const opened = openModel({ id, kind, folder }, this.#precisionOf(id), this.#options);
    const load = {
      slot: opened.then((engine): Slot => new EngineSlot(engine)),
      status: 'loading' as ModelStatus,
    };
    this.#loads.set(id, load);
    this.#failed.delete(id);
    try {
      const slot = await load.slot;
      load.status = 'loaded';
      return slot;
    } catch (error) {
      // What did not load may be repaired and asked for again.
      if (this.#loads.get(id) === load) this.#loads.delete(id);
      this.#failed.add(id);
      throw error;
    }
  }

  #hold(slot: Slot): LanguageModel | Predictor {
    const { engine } = slot;
    const held = this.#held.get(slot) ?? holdEngine(engine, (kind) => this.#slot(engine.id, kind));
    this.#held.set(slot, held);
    return held;
  }

  /** Takes the engine out of use; it is freed when its last call has ended. */
  #retire(id: string): void {
    const load = this.#loads.get(id);
    this.#loads.delete(id);
    void load?.slot.then(
      async (slot) => {
        this.#retiring.add(slot);
        await slot.retire();
        this.#retiring.delete(slot);
      },
      () => {},
    );
  }
}
